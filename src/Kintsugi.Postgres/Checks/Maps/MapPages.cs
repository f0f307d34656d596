using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Maps;

/// <summary>Pages of the visibility map and the free space map through pageinspect, where the files are out of reach.</summary>
internal static class MapPages
{
    /// <summary>get_raw_page reads strictly, where the server itself takes a bad page of a map for an empty one
    /// (RBM_ZERO_ON_ERROR).</summary>
    public static string? Reader(Capabilities can) =>
        can.Function("pageinspect", "get_raw_page(text,text,bigint)") is { } bigint
            ? $"{bigint}($1::pg_catalog.regclass::pg_catalog.text, $2, $3)"
        : can.Function("pageinspect", "get_raw_page(text,text,integer)") is { } integer
            ? $"{integer}($1::pg_catalog.regclass::pg_catalog.text, $2, $3::pg_catalog.int4)" : null;

    /// <returns>Findings for the pages that cannot be read; empty also where nothing can read them.</returns>
    public static async ValueTask<IReadOnlyList<Finding>> Unreadable(
        Relation relation, string fork, FaultClass fault, Target target, Patient patient, CancellationToken cancellationToken)
    {
        // pageinspect asks for a superuser whatever is granted.
        if (!patient.Can.Superuser || Reader(patient.Can) is not { } reader)
            return [];
        var blocks = (await patient.Session.Rows("SELECT pg_catalog.pg_relation_size($1::pg_catalog.regclass, $2) / 8192",
            row => row.IsDBNull(0) ? 0 : row.GetInt64(0), cancellationToken, relation.Oid, fork))[0];
        var findings = new List<Finding>();
        for (var block = 0L; block < blocks && findings.Count < MaxFindings; block++)
        {
            try
            {
                await patient.Session.Rows($"SELECT pg_catalog.length({reader})", row => row.GetInt32(0), cancellationToken,
                    relation.Oid, fork, block);
            }
            catch (PatientException problem) when (SqlStates.MeansDamage(problem))
            {
                findings.Add(Finding(fault, target, fork, block, problem.Message, problem.SqlState));
            }
        }
        return findings;
    }

    private const int MaxFindings = 50;

    public static Finding Finding(FaultClass fault, Target target, string fork, long? block, string evidence, string? sqlState) =>
        new(fault, target with { Fork = fork, Block = block }, evidence)
        {
            SqlState = sqlState,
            Hint = fault == Faults.VisibilityMapCorrupt
                ? "the map is derived from its table: kintsugi heal empties it and lets VACUUM fill it again"
                : "the map is derived from its relation: kintsugi heal lets VACUUM write it anew",
            Facts = new Dictionary<string, string>
            {
                ["cause"] = $"{target.ObjectSchema}.{target.Object}:{fork}",
                ["story"] = $"{target.Name}: {fault.Title}",
            },
        };
}
