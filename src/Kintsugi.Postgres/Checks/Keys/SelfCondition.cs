namespace Kintsugi.Postgres.Checks.Keys;

/// <summary>What a row can ask an index for itself by.</summary>
internal static class SelfCondition
{
    /// <summary>Operators under which a value finds itself, the most telling first; each is tried on the row's own value before it counts.</summary>
    private static readonly string[] Reflexive = ["=", "~=", "@>", "<@", "&&", "~~", "%", "^@"];

    /// <summary>A word of a tsquery in quotes: backslashes and quotes are doubled.</summary>
    private const string QuotedWord = """
        '''' || pg_catalog.replace(pg_catalog.replace(w, E'\\', E'\\\\'), '''', '''''') || ''''
        """;

    /// <summary>
    /// Conditions on the indexed value (first) that the row's own (second) fulfils, the best first: another index may take the question under
    /// one of them and not under the next. None where the operator family has no such operator.
    /// </summary>
    public static IReadOnlyList<Func<string, string, string>> Of(KeyColumn column) => column.Family == "tsvector_ops"
        ? [(value, own) => $"{value} OPERATOR(pg_catalog.@@) (SELECT pg_catalog.string_agg({QuotedWord}, ' & ')::pg_catalog.tsquery "
            + $"FROM pg_catalog.unnest(pg_catalog.tsvector_to_array({own})) w)"]
        : [.. column.Operators.Where(it => Array.IndexOf(Reflexive, it.Name) >= 0).OrderBy(it => Order(it, column))
            .Select<KeyOperator, Func<string, string, string>>(it => (value, own) => $"{value} {it.Sql} {own}")];

    /// <summary>
    /// A value that finds everything would read the whole table for one row, and its entry tells nothing about keys. One with NaN is no number's neighbour:
    /// searches of GiST and SP-GiST pass it by in an index that is sound (gistproc.c).
    /// </summary>
    public static string? Telling(KeyColumn column) => column.Family switch
    {
        "array_ops" => $"pg_catalog.cardinality({column.Expression}) > 0",
        "jsonb_ops" or "jsonb_path_ops" => column.Expression + """ OPERATOR(pg_catalog.<>) ALL ('{"{}",[]}'::pg_catalog.jsonb[])""",
        "tsvector_ops" => $"pg_catalog.length({column.Expression}) > 0",
        "point_ops" or "box_ops" or "poly_ops" or "circle_ops" or "quad_point_ops" or "kd_point_ops" or "gist_cube_ops" =>
            $"pg_catalog.strpos({column.Expression}::pg_catalog.text, 'NaN') = 0",
        _ => null,
    };

    /// <summary>Containment asks a GIN index for every key of the value (its <c>=</c> is then an afterthought); equality is the narrowest elsewhere.</summary>
    private static int Order(KeyOperator it, KeyColumn column) =>
        it.Name == "@>" && column.Family is "array_ops" or "gin__int_ops" or "gin_hstore_ops" ? -1 : Array.IndexOf(Reflexive, it.Name);
}
