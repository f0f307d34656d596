using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>
/// Whether the catalogs can be taken at their word about a table: asked anew before its rows are touched or its indexes rebuilt, for a scrub of chosen
/// tables does not look at the catalogs.
/// </summary>
internal static class CatalogGround
{
    private static IEnumerable<CatalogRule> Rules => ColumnRules.All.Concat(RelationRules.All).Concat(DerivationRules.All).Where(rule => rule.Misleads);

    /// <summary>What a foreign key refers to is read beside the table that refers.</summary>
    private const string Around = """
        SELECT k.confrelid FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conrelid = ANY ($1)
        """;

    /// <returns>Null when nothing contradicts what they say of these relations.</returns>
    public static async ValueTask<string?> Doubt(uint[] relations, Patient patient, CancellationToken cancellationToken)
    {
        var shape = await CatalogShape.Read(patient, cancellationToken);
        foreach (var rule in Rules.Where(rule => rule.Fits(shape)))
            if (await Ask(rule, relations, patient, cancellationToken) is { } said)
                return $"the system catalogs contradict each other ({said}): what is right with the rows cannot be told before that is settled";
        return null;
    }

    private static async ValueTask<string?> Ask(CatalogRule rule, uint[] relations, Patient patient, CancellationToken cancellationToken)
    {
        var sql = $"""
            SELECT wrong.thing, wrong.found FROM (
            {rule.Sql}
            ) wrong(relation, thing, place, found) WHERE wrong.relation = ANY ($1) OR wrong.relation IN ({Around}) LIMIT 1
            """;
        try
        {
            var rows = await patient.Session.Rows(sql, row => rule.Probe().Say(row.GetString(0), row.GetString(1)), cancellationToken, (object)relations);
            return rows.Count == 0 ? null : rows[0];
        }
        catch (PatientException problem) when (problem.SqlState == SqlStates.InsufficientPrivilege)
        {
            // pg_statistic is for superusers alone: what it would say speaks against nothing.
            return null;
        }
    }
}
