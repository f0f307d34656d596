namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>Rows that share a key of a system catalog, read from its heap: its unique index cannot tell.</summary>
internal static class KeyProbes
{
    public static CatalogProbe Duplicates(CatalogKey key, CatalogShape shape)
    {
        var columns = string.Join(", ", key.Columns.Select(column => $"f.{column}"));
        // The names are looked up only for what occurs twice: without its indexes the catalog is read whole for each of them.
        var twice = string.Join(", ", key.Columns.Select(column => $"g.{column}"));
        var known = string.Join(" AND ", key.Columns.Select(column => $"f.{column} IS NOT NULL"));
        var words = string.Join(" || ',' || ", key.Columns.Select(column => $"f.{column}::pg_catalog.text"));
        var sql = $"""
            SELECT pg_catalog.max({CatalogShape.RelationOf(key.Catalog)}), pg_catalog.max({shape.LabelOf(key.Catalog)}),
                   pg_catalog.string_agg(f.ctid::pg_catalog.text, ' '), pg_catalog.max('(' || {words} || ') ')
                   || pg_catalog.count(*)::pg_catalog.text || ' times'
            FROM pg_catalog.{key.Catalog} f WHERE {known} AND ({columns}) IN (
                SELECT {twice} FROM pg_catalog.{key.Catalog} g GROUP BY {twice} HAVING pg_catalog.count(*) > 1)
            GROUP BY {columns} HAVING pg_catalog.count(*) > 1 LIMIT {CatalogReference.MaxRows}
            """;
        return new CatalogProbe($"{key.Catalog} {string.Join(",", key.Columns)}", key.Catalog, sql,
            (thing, found) => $"expected one row of {key.Catalog} for each ({string.Join(", ", key.Columns)}), but {thing} is "
                + $"there: {found}")
        {
            Facts = new Dictionary<string, string> { ["index"] = key.Index, ["columns"] = string.Join(",", key.Columns) },
        };
    }
}
