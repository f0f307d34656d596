namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>A column of a system catalog that names rows of another one.</summary>
/// <param name="Columns">One column, or a relation's OID and a column number (or an array of them).</param>
/// <param name="IsArray">The last column is an array or vector, each element of which refers.</param>
/// <param name="Optional">Zero is allowed and refers to nothing.</param>
internal sealed record CatalogReference(string Catalog, IReadOnlyList<string> Columns, bool IsArray, bool Optional, string Refers)
{
    public string Id => $"{Catalog}.{Columns[^1]}";

    /// <summary>
    /// A row for each reference that leads nowhere: the relation concerned, the name of the thing, its ctid, and the key that is
    /// missing.
    /// Roles are looked up in the view pg_roles, which everybody may read.
    /// </summary>
    public string Sql(CatalogShape shape)
    {
        var last = IsArray ? "e.element" : $"f.{Columns[^1]}";
        var keys = Columns.SkipLast(1).Select(column => $"f.{column}").Append(last).ToList();
        var target = Refers == "pg_authid" ? "pg_roles" : Refers;
        var targetKeys = Refers == "pg_attribute" ? ["attrelid", "attnum"] : new[] { "oid" };
        var from = $"pg_catalog.{Catalog} f" + (IsArray ? $" CROSS JOIN LATERAL pg_catalog.unnest(f.{Columns[^1]}) e(element)"
            : "");
        var match = string.Join(" AND ", keys.Zip(targetKeys, (key, of) => $"t.{of} = {key}"));
        var known = string.Join("", keys.Select(key => $"{key} IS NOT NULL AND "));
        return $"""
            SELECT coalesce({CatalogShape.RelationOf(Catalog)}, 0), {shape.LabelOf(Catalog)}, f.ctid::pg_catalog.text,
                   pg_catalog.concat_ws(',', {string.Join(", ", keys.Select(key => $"{key}::pg_catalog.text"))})
            FROM {from}
            WHERE {known}{(Optional ? $"{last} <> 0 AND " : "")}{Exception()}NOT EXISTS (SELECT FROM pg_catalog.{target} t
                WHERE {match})
            LIMIT {MaxRows}
            """;
    }

    /// <summary>Beyond that the rest of the rows would only fill the report.</summary>
    public const int MaxRows = 1000;

    /// <summary>What the server itself leaves behind and never follows again.</summary>
    private string Exception() => Id switch
    {
        // A dropped column loses its type, not its collation (RemoveAttributeById, src/backend/catalog/heap.c).
        "pg_attribute.attcollation" => "NOT f.attisdropped AND ",
        // Pinned objects are recorded without naming who depends on them (14 and older).
        "pg_depend.classid" or "pg_depend.refclassid" or "pg_shdepend.classid" => "f.deptype <> 'p' AND ",
        _ => "",
    };
}
