using System.Data.Common;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Uniqueness;

/// <summary>One key of a unique index or exclusion constraint, with the operator that decides whether two values are the
/// same.</summary>
/// <param name="Expression">The column or expression, as the server prints it, with its collation.</param>
/// <param name="Name">Without the collation: what people and JSON samples call it.</param>
/// <param name="Same">OPERATOR(schema.=): never a bare operator, which search_path would resolve.</param>
/// <param name="Less">The operator class's own order, where it has one.</param>
/// <param name="Groups">GROUP BY of the expression's type compares by that very operator.</param>
/// <param name="Hashes">Two values may be joined by hash under the operator.</param>
/// <param name="Overlaps">It is the overlap of two ranges: sorted by their lower bounds, neighbours tell.</param>
internal sealed record UniqueKeyColumn(
    string Expression, string Name, string? Same, string? Less, bool Groups, bool Hashes, bool Overlaps);

/// <summary>What a unique index or exclusion constraint forbids.</summary>
internal sealed record UniqueKey(IReadOnlyList<UniqueKeyColumn> Columns, string? Predicate)
{
    /// <summary>
    /// From the index itself and, for exclusion, from its constraint. The default equality of a type is that of its default btree
    /// operator
    /// class, which is what GROUP BY takes (src/backend/utils/cache/typcache.c), whatever search_path says.
    /// </summary>
    private const string Sql = """
        SELECT pg_catalog.pg_get_indexdef(i.indexrelid, k.n, false),
               (SELECT pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(c.collname)
                   FROM pg_catalog.pg_collation c
                JOIN pg_catalog.pg_namespace cn ON cn.oid = c.collnamespace WHERE c.oid = i.indcollation[k.n - 1]),
               'OPERATOR(' || pg_catalog.quote_ident(en.nspname) || '.' || eq.oprname || ')',
               (SELECT 'OPERATOR(' || pg_catalog.quote_ident(ln.nspname) || '.' || l.oprname || ')' FROM pg_catalog.pg_amop m
                JOIN pg_catalog.pg_operator l ON l.oid = m.amopopr JOIN pg_catalog.pg_namespace ln ON ln.oid = l.oprnamespace
                WHERE m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype
                    AND m.amopstrategy = 1
                  AND m.amopmethod = 403),
               EXISTS (SELECT FROM pg_catalog.pg_opclass d JOIN pg_catalog.pg_amop m ON m.amopfamily = d.opcfamily
                   AND m.amoplefttype = d.opcintype
                       AND m.amoprighttype = d.opcintype AND m.amopstrategy = 3
                       WHERE d.opcmethod = 403 AND d.opcdefault AND d.opcintype = eq.oprleft AND m.amopopr = eq.oid),
               coalesce(eq.oprcanhash, false),
               coalesce(eq.oid = 'pg_catalog.&&(pg_catalog.anyrange,pg_catalog.anyrange)'::pg_catalog.regoperator, false),
               pg_catalog.pg_get_expr(i.indpred, i.indrelid), i.indexrelid
        FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnkeyatts::pg_catalog.int4) k(n)
        JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[k.n - 1]
        LEFT JOIN pg_catalog.pg_constraint x ON x.conindid = i.indexrelid AND x.conexclop IS NOT NULL
        LEFT JOIN pg_catalog.pg_amop e ON e.amopfamily = o.opcfamily AND e.amoplefttype = o.opcintype
            AND e.amoprighttype = o.opcintype
             AND e.amopstrategy = 3 AND e.amopmethod = 403
        LEFT JOIN pg_catalog.pg_operator eq ON eq.oid = coalesce(x.conexclop[k.n], e.amopopr)
        LEFT JOIN pg_catalog.pg_namespace en ON en.oid = eq.oprnamespace
        WHERE i.indexrelid = ANY ($1) ORDER BY i.indexrelid, k.n
        """;

    /// <returns>Null when the index is gone.</returns>
    public static async ValueTask<UniqueKey?> Read(Relation index, IReadSession session, CancellationToken cancellationToken) =>
        (await Read([index.Oid], session, cancellationToken)).GetValueOrDefault(index.Oid);

    /// <returns>The keys of those indexes that are there.</returns>
    public static async ValueTask<IReadOnlyDictionary<uint, UniqueKey>> Read(
        uint[] indexes, IReadSession session, CancellationToken cancellationToken)
    {
        var rows = await session.Rows(Sql, row => (Column: Column(row), Predicate: Text(row, 7), Index: row.GetFieldValue<uint>(8)),
            cancellationToken, [indexes]);
        return rows.GroupBy(row => row.Index).ToDictionary(
            group => group.Key, group => new UniqueKey([.. group.Select(row => row.Column)], group.First().Predicate));
    }

    private static UniqueKeyColumn Column(DbDataReader row)
    {
        var expression = row.GetString(0);
        return new UniqueKeyColumn(
            Text(row, 1) is { } collation ? $"(({expression}) COLLATE {collation})" : $"({expression})",
            expression, Text(row, 2), Text(row, 3), row.GetBoolean(4), row.GetBoolean(5), row.GetBoolean(6));
    }

    private static string? Text(DbDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);

    /// <summary>A JSON object of the key's values <c>k1, k2 …</c> under the given prefix, as SQL.</summary>
    public string Json(string prefix) => "pg_catalog.jsonb_build_object("
        + string.Join(", ", Columns.Select((column, i) => $"{Quote.Literal(column.Name)}, "
            + $"pg_catalog.to_jsonb({prefix}k{i + 1})")) + ")::pg_catalog.text";
}
