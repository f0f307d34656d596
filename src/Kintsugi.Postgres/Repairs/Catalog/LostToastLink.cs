using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>A TOAST table to which no table's reltoastrelid leads: its dependency knows its owner.</summary>
internal static class LostToastLink
{
    public static async ValueTask<CatalogMend?> Mend(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (!CatalogRepair.AllAre(healing, rule => rule is "toast-link" or "pg_class.reltoastrelid"))
            return null;
        var links = await patient.Session.Rows("""
            SELECT c.oid, t.oid, t.relname::pg_catalog.text, c.reltoastrelid
            FROM pg_catalog.pg_class t
            JOIN pg_catalog.pg_depend d ON d.classid = 1259 AND d.objid = t.oid AND d.objsubid = 0 AND d.refclassid = 1259 AND d.deptype = 'i'
            JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
            WHERE t.relkind = 't' AND c.oid = ANY ($1) AND c.reltoastrelid <> t.oid
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_class o WHERE o.oid = c.reltoastrelid)
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_class o WHERE o.reltoastrelid = t.oid)
            """, row => (Table: row.GetFieldValue<uint>(0), Toast: row.GetFieldValue<uint>(1), Name: row.GetString(2), Now: row.GetFieldValue<uint>(3)),
            cancellationToken, (object)healing.Findings.Select(CatalogRepair.Oid).Distinct().ToArray());
        if (links.Count == 0 || links.Select(link => link.Table).Distinct().Count() != links.Count)
            return new CatalogMend.Unknown("which TOAST table belongs to which table cannot be told from pg_depend");
        return new CatalogMend.Of([.. links.Select(link => CatalogMend.Edit(healing, "pg_class", $"oid = {link.Table} AND reltoastrelid = {link.Now}",
                $"UPDATE pg_catalog.pg_class SET reltoastrelid = {link.Toast} WHERE oid = {link.Table} AND reltoastrelid = {link.Now}", 1,
                $"pg_depend says that {link.Name} holds its large values"))],
            "Large values that were written while the link was lost were refused, not misplaced.");
    }
}
