namespace Kintsugi.Postgres.Checks.Values;

/// <summary>
/// A condition that the schema puts on the values of a row: a CHECK of the table or of a column's domain, or NOT NULL.
/// </summary>
/// <param name="Column">The column, for NOT NULL and domains.</param>
/// <param name="Expression">SQL that must not be false; null for NOT NULL.</param>
/// <param name="BaseType">For a domain: the type that its CHECK sees as VALUE.</param>
internal sealed record ValueRule(
    uint Table, string Name, string? Column, string? Expression, string? BaseType, bool Validated, bool Enforced,
    bool CallsOthers, string Type)
{
    /// <summary>
    /// The server's own functions in it whose result depends on more than the row: the clock, the time zone, other settings. What
    /// was true when the row was written may be false now, and nothing is damaged.
    /// </summary>
    public string? DependsOn { get; init; }

    /// <summary>For a domain somewhere inside the column's values, in arrays and composite types: SQL around its CHECK and for the value that it sees.</summary>
    public (string Around, string Value)? Inside { get; init; }
}

/// <summary>Reads CHECK constraints, NOT NULL and the constraints of domains from the catalog.</summary>
internal static class CheckConstraintReader
{
    private static readonly string Sql = $"""
        SELECT c.conrelid, c.conname::pg_catalog.text, NULL::pg_catalog.text, pg_catalog.pg_get_expr(c.conbin, c.conrelid),
          NULL::pg_catalog.text,
               c.convalidated, {Enforced}, {Rows.OwnerRights.CallsOthers("pg_constraint", "c.oid")}, '',
               {Unsteady}, NULL::pg_catalog.text, NULL::pg_catalog.text
        FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
        WHERE c.contype = 'c' AND r.relkind = 'r' AND c.conbin IS NOT NULL
        UNION ALL
        SELECT a.attrelid, 'NOT NULL', a.attname::pg_catalog.text, NULL, NULL,
               coalesce((SELECT c.convalidated FROM pg_catalog.pg_constraint c WHERE c.conrelid = a.attrelid
                 AND c.contype = 'n' AND a.attnum = ANY (c.conkey)
                         LIMIT 1), true), true, false, pg_catalog.format_type(a.atttypid, a.atttypmod), NULL, NULL, NULL
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class r ON r.oid = a.attrelid
        WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind = 'r' AND r.oid >= 16384
          AND a.attgenerated <> 'v'
        UNION ALL
        SELECT d.attrelid, c.conname::pg_catalog.text, d.attname, pg_catalog.pg_get_expr(c.conbin, 0),
          pg_catalog.format_type(t.typbasetype, t.typtypmod),
               c.convalidated, {Enforced}, {Rows.OwnerRights.CallsOthers("pg_constraint", "c.oid")},
                 pg_catalog.format_type(t.oid, -1), {Unsteady}, d.around, d.value
        FROM domained d JOIN pg_catalog.pg_type t ON t.oid = d.domain JOIN pg_catalog.pg_constraint c ON c.contypid = d.domain
        WHERE c.contype = 'c' AND c.conbin IS NOT NULL
        UNION ALL
        SELECT d.attrelid, t.typname::pg_catalog.text || ' NOT NULL', d.attname, NULL, NULL, true, true, false,
          pg_catalog.format_type(t.oid, -1), NULL, NULL, NULL
        FROM domained d JOIN pg_catalog.pg_type t ON t.oid = d.domain WHERE t.typnotnull AND d.around IS NULL
        """;

    /// <summary>
    /// Functions behind calls and operators, from the stored expression; CURRENT_DATE and its like are nodes of their own.
    /// </summary>
    private const string Unsteady = """
        pg_catalog.concat_ws(', ', (SELECT pg_catalog.string_agg(DISTINCT p.proname::pg_catalog.text, ', ')
               FROM pg_catalog.regexp_matches(c.conbin::pg_catalog.text, ':(?:funcid|opfuncid) ([0-9]+)', 'g') m(ids)
               JOIN pg_catalog.pg_proc p ON p.oid = m.ids[1]::pg_catalog.oid WHERE p.provolatile <> 'i' AND p.oid < 16384),
             CASE WHEN c.conbin::pg_catalog.text LIKE '%{SQLVALUEFUNCTION%' THEN 'the current date, time or user' END)
        """;

    private const string Enforced =
        "coalesce((pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->>) 'conenforced')::pg_catalog.bool, true)";

    private const string Rule = "\u0001";
    private const string Column = "\u0002";

    /// <summary>
    /// Every domain in a column's values, and the domains that it rests on: the column's own type, the items of arrays, the fields of composite types, in any nesting
    /// up to six. What stands around the CHECK of an inner one is built on the way down.
    /// </summary>
    private const string Domained = $"""
        WITH RECURSIVE nested AS (
          SELECT a.attrelid, a.attname::pg_catalog.text, t.oid AS type, NULL::pg_catalog.text COLLATE pg_catalog."C" AS around,
            '{Column}'::pg_catalog.text COLLATE pg_catalog."C" AS value, 0 AS depth
          FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class r ON r.oid = a.attrelid
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
          WHERE (t.typtype IN ('c', 'd') OR (t.typelem <> 0 AND t.typlen = -1 AND t.typcategory = 'A'))
            AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind = 'r' AND r.oid >= 16384 AND a.attgenerated <> 'v'
          UNION ALL
          SELECT n.attrelid, n.attname, s.type, s.around COLLATE pg_catalog."C", s.value COLLATE pg_catalog."C", n.depth + 1
          FROM nested n JOIN pg_catalog.pg_type t ON t.oid = n.type
          CROSS JOIN LATERAL (
            SELECT t.typbasetype AS type, n.around, CASE WHEN n.around IS NULL THEN n.value
              ELSE pg_catalog.format('(%s)::%s', n.value, pg_catalog.format_type(t.typbasetype, t.typtypmod)) END AS value WHERE t.typtype = 'd'
            UNION ALL
            SELECT t.typelem, pg_catalog.replace(coalesce(n.around, '{Rule}'), '{Rule}', pg_catalog.format(
              'EXISTS (SELECT FROM (SELECT pg_catalog.unnest(%s) AS value) kintsugi_item%s WHERE {Rule})', n.value, n.depth)),
              pg_catalog.format('kintsugi_item%s.value', n.depth)
            WHERE t.typelem <> 0 AND t.typlen = -1 AND t.typcategory = 'A'
            UNION ALL
            SELECT f.atttypid, coalesce(n.around, '{Rule}'), pg_catalog.format('(%s).%I', n.value, f.attname)
            FROM pg_catalog.pg_attribute f WHERE t.typtype = 'c' AND f.attrelid = t.typrelid AND f.attnum > 0 AND NOT f.attisdropped) s
          WHERE n.depth < 6),
        domained AS (
          SELECT n.attrelid, n.attname, n.type AS domain, n.around, n.value FROM nested n
          JOIN pg_catalog.pg_type t ON t.oid = n.type AND t.typtype = 'd')

        """;

    public static ValueTask<(IReadOnlyList<ValueRule> Rows, IReadOnlyList<Portion> Unreadable)> Read(
        Patient patient, CancellationToken cancellationToken) =>
        Rows.TableByTable.Read(Domained + Sql, "conrelid", row => new ValueRule(
            row.GetFieldValue<uint>(0), row.GetString(1), Text(row, 2), Text(row, 3), Text(row, 4), row.GetBoolean(5),
            row.GetBoolean(6), row.GetBoolean(7), row.GetString(8))
        {
            DependsOn = Text(row, 9) is { Length: > 0 } functions ? functions : null,
            Inside = Text(row, 10) is { } around ? (around, row.GetString(11)) : null,
        }, patient, cancellationToken);

    /// <summary>The CHECK of an inner domain, for a column as SQL writes it.</summary>
    public static string Within((string Around, string Value) inside, string column, Func<string, string> check) => inside.Around
        .Replace(Rule, check(inside.Value), StringComparison.Ordinal).Replace(Column, column, StringComparison.Ordinal);

    private static string? Text(System.Data.Common.DbDataReader row, int place) =>
        row.IsDBNull(place) ? null : row.GetString(place);
}
