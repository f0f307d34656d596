using System.Data.Common;

namespace Kintsugi.Postgres.Checks.Keys;

/// <summary>A search operator of an operator class whose both sides are of the class's type.</summary>
/// <param name="Strategy">Its number in the operator family.</param>
/// <param name="Name">As people write it.</param>
/// <param name="Sql">OPERATOR(schema.name), which no search_path can turn into another one.</param>
internal sealed record KeyOperator(int Strategy, string Name, string Sql);

/// <summary>One key column of an index, as SQL can ask about it.</summary>
/// <param name="Expression">The column or expression, in parentheses, with the index's collation.</param>
/// <param name="Family">The operator family's name: what its values mean.</param>
/// <param name="Type">The type that the operator class works on; the column's own where the class takes any of a kind.</param>
/// <param name="Support">The operator class's first support function, quoted: hash code, or what a BRIN summary is.</param>
internal sealed record KeyColumn(string Expression, string Family, string Type, string? Support, IReadOnlyList<KeyOperator> Operators)
{
    /// <summary>The operator class takes any array, range or enum: a value is passed to its functions as it is.</summary>
    public bool AnyOfKind { get; init; }

    public string? Operator(int strategy) => Operators.FirstOrDefault(it => it.Strategy == strategy)?.Sql;
}

/// <summary>What an index is built from.</summary>
internal sealed record IndexKey(IReadOnlyList<KeyColumn> Columns, string? Predicate)
{
    private const string Sql = """
        SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k.n, false),
               (SELECT pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(c.collname) FROM pg_catalog.pg_collation c
                JOIN pg_catalog.pg_namespace cn ON cn.oid = c.collnamespace WHERE c.oid = i.indcollation[k.n - 1]),
               f.opfname::pg_catalog.text,
               pg_catalog.format_type(CASE WHEN t.typtype = 'p' THEN coalesce(h.atttypid, a.atttypid) ELSE o.opcintype END, -1),
               (SELECT pg_catalog.quote_ident(pn.nspname) || '.' || pg_catalog.quote_ident(p.proname) FROM pg_catalog.pg_amproc s
                JOIN pg_catalog.pg_proc p ON p.oid = s.amproc JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
                WHERE s.amprocfamily = o.opcfamily AND s.amproclefttype = o.opcintype AND s.amprocrighttype = o.opcintype AND s.amprocnum = 1),
               ARRAY(SELECT m.amopstrategy || ' ' || op.oprname || ' OPERATOR(' || pg_catalog.quote_ident(n.nspname) || '.' || op.oprname || ')'
                     FROM pg_catalog.pg_amop m JOIN pg_catalog.pg_operator op ON op.oid = m.amopopr
                     JOIN pg_catalog.pg_namespace n ON n.oid = op.oprnamespace
                     WHERE m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype
                       AND m.amoppurpose = 's' AND op.oprresult = 'pg_catalog.bool'::pg_catalog.regtype ORDER BY m.amopstrategy),
               pg_catalog.pg_get_expr(i.indpred, i.indrelid), t.typtype = 'p'
        FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnkeyatts::pg_catalog.int4) k(n)
        JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[k.n - 1] JOIN pg_catalog.pg_opfamily f ON f.oid = o.opcfamily
        JOIN pg_catalog.pg_type t ON t.oid = o.opcintype
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = k.n
        LEFT JOIN pg_catalog.pg_attribute h ON h.attrelid = i.indrelid AND h.attnum = i.indkey[k.n - 1] AND h.attnum > 0
        WHERE i.indexrelid = $1 ORDER BY k.n
        """;

    /// <returns>Null when the index is gone.</returns>
    public static async ValueTask<IndexKey?> Read(Relation index, Patient patient, CancellationToken cancellationToken)
    {
        var rows = await patient.Session.Rows(Sql, row => (Column: Column(row), Predicate: Text(row, 6)), cancellationToken, index.Oid);
        return rows.Count == 0 ? null : new IndexKey([.. rows.Select(row => row.Column)], rows[0].Predicate);
    }

    /// <summary>The condition under which the index is meant to have a row, and more; as SQL.</summary>
    public string Where(params IEnumerable<string> conditions) =>
        string.Join(" AND ", conditions.Concat(Predicate is null ? [] : [$"({Predicate})"]).DefaultIfEmpty("true"));

    private static KeyColumn Column(DbDataReader row) => new(
        Text(row, 1) is { } collation ? $"(({row.GetString(0)}) COLLATE {collation})" : $"({row.GetString(0)})",
        row.GetString(2), row.GetString(3), Text(row, 4), [.. row.GetFieldValue<string[]>(5).Select(Operator)])
    {
        AnyOfKind = row.GetBoolean(7),
    };

    private static KeyOperator Operator(string text)
    {
        var parts = text.Split(' ', 3);
        return new KeyOperator(int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), parts[1], parts[2]);
    }

    private static string? Text(DbDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);
}
