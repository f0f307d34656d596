namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>Both sides of pg_depend, and what pg_shdepend says of this database: each object must be there.</summary>
internal static class DependencyProbes
{
    public static IEnumerable<CatalogProbe> Of(CatalogShape shape, bool shared)
    {
        foreach (var catalog in shape.Catalogs.Where(catalog => shape.Has(catalog, "oid")))
        {
            if (!shared && !shape.IsShared(catalog))
            {
                yield return Side("pg_depend", "", catalog);
                yield return Side("pg_depend", "ref", catalog);
                // The database's own part of a shared catalog: the same rows look different from every database.
                yield return Side("pg_shdepend", "", catalog);
            }
            else if (shared && shape.IsShared(catalog))
            {
                yield return Side("pg_shdepend", "ref", catalog);
            }
        }
        if (!shared)
        {
            yield return Column("");
            yield return Column("ref");
        }
    }

    private static CatalogProbe Side(string dependencies, string side, string catalog)
    {
        var other = side.Length == 0 ? "ref" : "";
        var here = dependencies == "pg_depend" ? ""
            : side.Length == 0 ? " AND f.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = "
                + "pg_catalog.current_database())" : "";
        var relation = dependencies == "pg_depend"
            ? $"CASE WHEN f.{side}classid = 1259 AND f.{side}objsubid <> 0 THEN f.{side}objid WHEN f.{other}classid = 1259 "
                + $"THEN f.{other}objid ELSE 0 END"
            : "0";
        var of = catalog == "pg_authid" ? "pg_roles" : catalog;
        var sql = $"""
            SELECT ({relation})::pg_catalog.oid, coalesce((SELECT c.relname FROM pg_catalog.pg_class c
                WHERE c.oid = f.{other}classid)::pg_catalog.text, '?')
                   || ' ' || f.{other}objid::pg_catalog.text, f.ctid::pg_catalog.text, f.{side}objid::pg_catalog.text
            FROM pg_catalog.{dependencies} f
            WHERE f.{side}classid = 'pg_catalog.{catalog}'::pg_catalog.regclass AND f.deptype <> 'p'{here}
              AND NOT EXISTS (SELECT FROM pg_catalog.{of} t WHERE t.oid = f.{side}objid)
            LIMIT {CatalogReference.MaxRows}
            """;
        return new CatalogProbe($"{dependencies}.{side}objid {catalog}", dependencies, sql,
            (thing, oid) => $"{dependencies} says that {thing} {(side.Length == 0 ? "is depended on by" : "depends on")} "
                + $"{catalog} {oid}, "
                + $"and {catalog} has no such row")
        {
            Cause = oid => $"{catalog} ({oid})",
            Facts = new Dictionary<string, string> { ["refers"] = catalog },
        };
    }

    private static CatalogProbe Column(string side) => new($"pg_depend.{side}objsubid", "pg_depend", $"""
        SELECT f.{side}objid, '#' || f.{side}objsubid::pg_catalog.text, f.ctid::pg_catalog.text,
               f.{side}objid::pg_catalog.text || ',' || f.{side}objsubid::pg_catalog.text
        FROM pg_catalog.pg_depend f
        WHERE f.{side}classid = 1259 AND f.{side}objsubid <> 0
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute t WHERE t.attrelid = f.{side}objid AND t.attnum = f.{side}objsubid)
        LIMIT {CatalogReference.MaxRows}
        """, (thing, key) => $"pg_depend speaks of column {thing}, and pg_attribute has no row ({key})")
    {
        Cause = key => $"pg_attribute ({key})",
    };
}
