using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>A relation in a schema that does not exist: its row type and its dependency still know the right one.</summary>
internal static class LostNamespace
{
    public static async ValueTask<CatalogMend?> Mend(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (!healing.Findings.Any(finding => finding.Facts.GetValueOrDefault("rule") == "pg_class.relnamespace"))
            return null;
        var steps = new List<Step>();
        foreach (var finding in healing.Findings.Where(finding => finding.Facts["rule"] == "pg_class.relnamespace"))
        {
            var oid = CatalogRepair.Oid(finding);
            var known = await patient.Session.Rows("""
                SELECT DISTINCT n.oid, n.nspname::pg_catalog.text FROM pg_catalog.pg_namespace n
                WHERE n.oid IN (SELECT t.typnamespace FROM pg_catalog.pg_type t WHERE t.typrelid = $1
                                UNION SELECT d.refobjid FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = $1 AND d.objsubid = 0 AND d.refclassid = 2615
                                UNION SELECT t.relnamespace FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid WHERE i.indexrelid = $1)
                """, row => (Oid: row.GetFieldValue<uint>(0), Name: row.GetString(1)), cancellationToken, oid);
            if (known.Count != 1)
                return new CatalogMend.Unknown(known.Count == 0
                    ? "neither its row type nor its dependencies know the schema: create one of that OID from a copy of the cluster, or choose one"
                    : $"its row type and its dependencies name different schemas: {string.Join(", ", known.Select(pair => pair.Name))}");
            var where = $"oid = {oid} AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.oid = relnamespace)";
            steps.Add(CatalogMend.Edit(healing, "pg_class", where,
                $"UPDATE pg_catalog.pg_class SET relnamespace = {known[0].Oid} WHERE {where}", 1,
                $"its row type and its dependencies say that it belongs to schema {known[0].Name}"));
        }
        return new CatalogMend.Of(steps, "The rows of the table are not touched: only its place among the schemas.");
    }
}
