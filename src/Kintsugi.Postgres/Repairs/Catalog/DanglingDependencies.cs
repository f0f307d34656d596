using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>
/// Rows of pg_depend that lead to an object which nothing else knows: the object is gone, its dependencies stayed. Where any other catalog
/// still refers to it, the object is what was lost, and the dependencies are evidence: then this does not fit.
/// </summary>
internal static class DanglingDependencies
{
    public static async ValueTask<CatalogMend?> Mend(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (!CatalogRepair.AllAre(healing, rule => rule.StartsWith("pg_depend.", StringComparison.Ordinal)))
            return null;
        var steps = new List<Step>();
        foreach (var finding in healing.Findings)
        {
            var words = finding.Facts["rule"].Split(' ');
            if (words is not [var column, var catalog] || !uint.TryParse(finding.Facts["key"], out var oid))
                return new CatalogMend.Unknown("a dependency on a column leads nowhere: what the column was has to be known first");
            var side = column == "pg_depend.refobjid" ? "ref" : "";
            var where = $"{side}classid = 'pg_catalog.{catalog}'::pg_catalog.regclass AND {side}objid = {oid}";
            var rows = (await patient.Session.Rows($"SELECT count(*) FROM pg_catalog.pg_depend WHERE {where}", row => row.GetInt64(0),
                cancellationToken))[0];
            steps.Add(CatalogMend.Edit(healing, "pg_depend", where, $"DELETE FROM pg_catalog.pg_depend WHERE {where}", rows,
                $"{catalog} has no row {oid}, and no other catalog speaks of it"));
        }
        return new CatalogMend.Of([.. steps.DistinctBy(step => step.Do)], "Only dependencies go; the objects that had them stay as they are.");
    }
}
