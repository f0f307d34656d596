using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Values;

/// <summary>
/// The types that hold enum values: enums themselves, domains over them, arrays, ranges and multiranges of them, and composite types with such a
/// field, in any nesting; and SQL that finds a value without a label wherever in a column's value it lies.
/// </summary>
internal sealed class EnumTypes
{
    private const int Deepest = 16;

    /// <summary>
    /// Upwards from the enums. The row types of tables count where a column is of such a type, for every table has one and hardly any is used so.
    /// </summary>
    private const string Sql = """
        WITH RECURSIVE edges AS MATERIALIZED (
          SELECT t.oid AS type, 'd' AS how, t.typbasetype AS inside, NULL::pg_catalog.text COLLATE pg_catalog."C" AS field
            FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
          UNION ALL SELECT t.oid, 'a', t.typelem, NULL FROM pg_catalog.pg_type t WHERE t.typelem <> 0 AND t.typlen = -1 AND t.typcategory = 'A'
          UNION ALL SELECT r.rngtypid, 'r', r.rngsubtype, NULL FROM pg_catalog.pg_range r
          UNION ALL SELECT (pg_catalog.to_jsonb(r) OPERATOR(pg_catalog.->>) 'rngmultitypid')::pg_catalog.oid, 'a', r.rngtypid, NULL FROM pg_catalog.pg_range r
          UNION ALL SELECT c.reltype, 'c', a.atttypid, a.attname::pg_catalog.text
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relkind = 'c' OR c.reltype IN (SELECT CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN t.typelem ELSE t.oid END
              FROM pg_catalog.pg_attribute u JOIN pg_catalog.pg_type t ON t.oid = u.atttypid
              WHERE u.attnum > 0 AND NOT u.attisdropped AND (t.typtype = 'c' OR t.typelem <> 0 AND t.typlen = -1))),
        holds AS (
          SELECT t.oid AS type, 'e' AS how, 0::pg_catalog.oid AS inside, NULL::pg_catalog.text COLLATE pg_catalog."C" AS field
          FROM pg_catalog.pg_type t WHERE t.typtype = 'e'
          UNION SELECT e.type, e.how, e.inside, e.field FROM holds h JOIN edges e ON e.inside = h.type)
        SELECT h.type, h.how, h.inside, h.field, pg_catalog.format_type(h.type, -1) FROM holds h WHERE h.type IS NOT NULL
        """;

    /// <param name="How">e enum, d domain, a array or multirange, r range, c field of a composite type.</param>
    private sealed record Edge(uint Type, string How, uint Inside, string? Field, string Name);

    private readonly ILookup<uint, Edge> edges;

    private EnumTypes(IEnumerable<Edge> edges) => this.edges = edges.ToLookup(edge => edge.Type);

    public static async ValueTask<EnumTypes> Read(IReadSession session, CancellationToken cancellationToken) =>
        new(await session.Rows(Sql, row => new Edge(row.GetFieldValue<uint>(0), row.GetString(1), row.GetFieldValue<uint>(2),
            row.IsDBNull(3) ? null : row.GetString(3), row.GetString(4)), cancellationToken));

    /// <summary>Every type whose values hold enum values.</summary>
    public uint[] All => [.. edges.Select(group => group.Key)];

    /// <summary>The enums inside a type, as SQL.</summary>
    public IReadOnlyList<string> Inside(uint type) => [.. Enums(type, 0).Distinct()];

    /// <summary>The type itself, or what a domain rests on, is an enum: its value is the OID of a label.</summary>
    public bool IsPlain(uint type) => edges[type].All(edge => edge.How == "e" || (edge.How == "d" && IsPlain(edge.Inside)));

    /// <summary>SQL that is true where the value holds one whose label is gone; false for NULL, also where a type has no labels at all.</summary>
    public string Lost(uint type, string value) => Lost(type, value, 0);

    private string Lost(uint type, string value, int depth) =>
        depth > Deepest ? "false" : string.Join(" OR ", edges[type].Select(edge => Lost(edge, value, depth)));

    /// <summary>The labels are read once, in a subquery of their own, not for each row.</summary>
    private string Lost(Edge edge, string value, int depth)
    {
        var item = $"kintsugi_item{depth}";
        return edge.How switch
        {
            // = ANY of no labels is false and not NULL, also for NULL.
            "e" => $"(pg_catalog.num_nulls({value}) < 1 AND NOT ({value} OPERATOR(pg_catalog.=) "
                + $"ANY ((SELECT pg_catalog.enum_range(NULL::{edge.Name}))::{edge.Name}[])))",
            "d" => $"({Lost(edge.Inside, $"({value})::{NameOf(edge.Inside)}", depth + 1)})",
            // In the select list: in FROM a composite item would fall apart into its fields.
            "a" => $"EXISTS (SELECT FROM (SELECT pg_catalog.unnest({value}) AS value) {item} WHERE {Lost(edge.Inside, $"{item}.value", depth + 1)})",
            "r" => $"({Lost(edge.Inside, $"pg_catalog.lower({value})", depth + 1)} OR {Lost(edge.Inside, $"pg_catalog.upper({value})", depth + 1)})",
            _ => $"({Lost(edge.Inside, $"({value}).{Quote.Identifier(edge.Field!)}", depth + 1)})",
        };
    }

    private string NameOf(uint type) => edges[type].First().Name;

    private IEnumerable<string> Enums(uint type, int depth) => depth > Deepest ? []
        : edges[type].SelectMany(edge => edge.How == "e" ? [edge.Name] : Enums(edge.Inside, depth + 1));
}
