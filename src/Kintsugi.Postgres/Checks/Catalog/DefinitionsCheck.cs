using System.Globalization;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>
/// Every index, view, constraint, default, trigger, function, partition bound, policy and statistic can be read by the server
/// itself: what
/// rests on a row of the catalogs that is gone, or on an expression that no longer parses, is found though every reference of its
/// own is whole.
/// </summary>
public sealed class DefinitionsCheck : ICheck
{
    private const int MaxFindings = 100;

    public string Id => "definitions";
    public string Proves => "the server can read the definition of every object";
    public Layer Layer => Layer.Catalog;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.CatalogInconsistent, Faults.StatisticsCorrupt];
    public Needs Needs { get; } = new();

    private sealed record DefinitionPortion(Target Target, DefinitionKind Of) : Portion(Target);

    private sealed record Item(string Place, uint Relation, string Label);

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([.. DefinitionKinds.All.Select(kind => new DefinitionPortion(
            new Target
            {
                Server = patient.Can.SystemIdentifier, Database = patient.Relations.Database, Kind = TargetKind.Catalog,
                Schema = "pg_catalog", Relation = kind.Catalog, Rule = $"definition of {kind.Name}",
            }, kind))]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var kind = ((DefinitionPortion)portion).Of;
        try
        {
            if ((await patient.Session.Rows($"SELECT 1 FROM {kind.From} WHERE ({kind.Definition}) IS NULL LIMIT 1", _ => 0,
                cancellationToken)).Count == 0)
                return Verdict.Sound.Instance;
        }
        catch (PatientException problem) when (Accuses(problem))
        {
            // One of them cannot be read; which one is asked below.
        }
        var items = await patient.Session.Rows(
            $"SELECT o.ctid::pg_catalog.text, ({kind.Relation})::pg_catalog.oid, ({kind.Label})::pg_catalog.text FROM "
                + $"{kind.From}",
            row => new Item(row.GetString(0), row.GetFieldValue<uint>(1), row.GetString(2)), cancellationToken);
        var findings = new List<Finding>();
        foreach (var item in items)
        {
            // Twice: an object that was dropped between the list and the question is gone at the second one.
            if (findings.Count < MaxFindings && await Complaint(kind, item, patient, cancellationToken) is not null
                && await Complaint(kind, item, patient, cancellationToken) is { } complaint)
                findings.Add(ToFinding(kind, item, complaint, portion.Target, patient));
        }
        return Verdict.From(findings);
    }

    /// <summary>Why the definition cannot be told, or null when it can, or when the object is gone.</summary>
    private static async ValueTask<(string Words, string? Code)?> Complaint(
        DefinitionKind kind, Item item, Patient patient, CancellationToken cancellationToken)
    {
        var one = $"FROM {kind.From} WHERE o.ctid = $1::pg_catalog.tid";
        try
        {
            var answer = await patient.Session.Rows($"SELECT ({kind.Definition}) IS NULL {one}", row => row.GetBoolean(0),
                cancellationToken, item.Place);
            return answer is [true] ? ("the server has no answer, or an impossible one", null) : null;
        }
        catch (PatientException problem) when (Accuses(problem))
        {
            var there = await patient.Session.Rows($"SELECT 1 {one}", _ => 0, cancellationToken, item.Place);
            return there.Count == 0 ? null : (problem.Message, problem.SqlState);
        }
    }

    /// <summary>In these functions any internal error is the catalogs' (ruleutils.c uses elog for nothing else).</summary>
    private static bool Accuses(PatientException problem) =>
        !problem.ConnectionLost && (problem.SqlState == SqlStates.InternalError || SqlStates.MeansDamage(problem));

    private static Finding ToFinding(DefinitionKind kind, Item item, (string Words, string? Code) complaint, Target whole,
        Patient patient)
    {
        var target = patient.Relations.Find(item.Relation) is { Schema: not "?" } relation
            ? relation.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database) : whole;
        return new Finding(kind.Fault, target with { Rule = $"{kind.Name} {item.Label}" },
            $"expected the server to be able to read {kind.Name} {item.Label}, but: {complaint.Words}")
        {
            SqlState = complaint.Code,
            Hint = kind.Fault == Faults.StatisticsCorrupt ? "ANALYZE the table: statistics are derived from it"
                : "see what the check catalog says: a row that it rests on is gone or damaged; snapshot first: kintsugi "
                    + "snapshots create",
            Facts = new Dictionary<string, string>
            {
                ["catalog"] = kind.Catalog, ["rule"] = $"definition of {kind.Name}", ["thing"] = item.Label,
                    ["ctid"] = item.Place,
                ["oid"] = item.Relation.ToString(CultureInfo.InvariantCulture),
            },
        };
    }
}
