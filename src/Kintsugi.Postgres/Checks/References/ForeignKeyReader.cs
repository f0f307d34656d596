using System.Data.Common;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>Reads every declared foreign key of a database from pg_constraint (manual, 52.13).</summary>
internal static class ForeignKeyReader
{
    /// <summary>
    /// A reference of a partitioned table is read at its leaves, which have constraints of their own. Constraints that refer to
    /// single partitions of the parent are the server's own bookkeeping: the parent is read as a whole. Operands are cast where
    /// the operator takes another type, as ri_triggers.c does (ri_GenerateQual); format_type with -1, because without it bpchar
    /// would be written character and cut to one. The comparison follows the parent's collation.
    /// </summary>
    private const string Sql = """
        SELECT c.conname::pg_catalog.text, c.conrelid, c.confrelid, c.confmatchtype::pg_catalog.text,
          c.confdeltype::pg_catalog.text, c.convalidated,
               coalesce((pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->>) 'conenforced')::pg_catalog.bool, true),
               coalesce((pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->>) 'conperiod')::pg_catalog.bool, false),
               coalesce(pg_catalog.pg_get_constraintdef(c.oid), ''),
               CASE WHEN t.n = 0 THEN 'missing' WHEN t.off > 0 THEN 'disabled' ELSE 'enabled' END,
               pg_catalog.cardinality(c.conkey), k.columns, k.parents, k.operators, k.parent_casts, k.casts, k.collations,
               ARRAY(SELECT l.relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree(c.confrelid) l WHERE l.isleaf),
               coalesce(pg_catalog.pg_partition_root(c.conrelid)::pg_catalog.oid, c.conrelid), c.conindid
        FROM pg_catalog.pg_constraint c
        JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
        LEFT JOIN pg_catalog.pg_constraint up ON up.oid = c.conparentid
        CROSS JOIN LATERAL (
          SELECT pg_catalog.count(*) AS n, pg_catalog.count(*) FILTER (WHERE g.tgenabled IN ('D', 'R')) AS off
          FROM pg_catalog.pg_trigger g WHERE g.tgconstraint = c.oid) t
        CROSS JOIN LATERAL (
          SELECT pg_catalog.array_agg(ca.attname::pg_catalog.text ORDER BY x.place) AS columns,
                 pg_catalog.array_agg(pa.attname::pg_catalog.text ORDER BY x.place) AS parents,
                 pg_catalog.array_agg('OPERATOR(' || pg_catalog.quote_ident(n.nspname) || '.' || o.oprname || ')'
                   ORDER BY x.place) AS operators,
                 pg_catalog.array_agg(CASE WHEN lt.typtype = 'p' THEN CASE WHEN pt.typtype = 'd'
                     THEN '::' || pg_catalog.format_type(pt.typbasetype, -1) ELSE '' END
                   WHEN o.oprleft <> pa.atttypid THEN '::' || pg_catalog.format_type(o.oprleft, -1) ELSE '' END
                     ORDER BY x.place) AS parent_casts,
                 pg_catalog.array_agg(CASE WHEN rt.typtype = 'p' THEN CASE WHEN ct.typtype = 'd'
                     THEN '::' || pg_catalog.format_type(ct.typbasetype, -1) ELSE '' END
                   WHEN o.oprright <> ca.atttypid THEN '::' || pg_catalog.format_type(o.oprright, -1) ELSE '' END
                     ORDER BY x.place) AS casts,
                 pg_catalog.array_agg(coalesce(pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname),
                   '')
                   ORDER BY x.place) AS collations
          FROM ROWS FROM (pg_catalog.unnest(c.conkey), pg_catalog.unnest(c.confkey), pg_catalog.unnest(c.conpfeqop))
               WITH ORDINALITY x(child, parent, operator, place)
          JOIN pg_catalog.pg_attribute ca ON ca.attrelid = c.conrelid AND ca.attnum = x.child
          JOIN pg_catalog.pg_type ct ON ct.oid = ca.atttypid
          JOIN pg_catalog.pg_attribute pa ON pa.attrelid = c.confrelid AND pa.attnum = x.parent
          JOIN pg_catalog.pg_type pt ON pt.oid = pa.atttypid
          JOIN pg_catalog.pg_operator o ON o.oid = x.operator
          JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
          JOIN pg_catalog.pg_type lt ON lt.oid = o.oprleft
          JOIN pg_catalog.pg_type rt ON rt.oid = o.oprright
          LEFT JOIN pg_catalog.pg_collation co ON co.oid = pa.attcollation
          LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace) k
        WHERE c.contype = 'f' AND r.relkind = 'r' AND (up.oid IS NULL OR up.confrelid = c.confrelid)
        ORDER BY c.conrelid, c.conname
        """;

    /// <summary>A constraint of a table that the inventory does not know was made or dropped since, and is left out.</summary>
    public static async ValueTask<IReadOnlyList<ForeignKey>> Read(Patient patient, CancellationToken cancellationToken) =>
        [.. (await patient.Session.Rows(Sql, row => Key(row, patient.Relations), cancellationToken)).OfType<ForeignKey>()];

    private static ForeignKey? Key(DbDataReader row, Inventory relations) =>
        relations.Find(row.GetFieldValue<uint>(1)) is not { } child
            || relations.Find(row.GetFieldValue<uint>(2)) is not { } parent ? null : new()
        {
            Name = row.GetString(0),
            Child = child,
            Parent = parent,
            Match = row.GetString(3)[0],
            OnDelete = row.GetString(4)[0],
            Validated = row.GetBoolean(5),
            Enforced = row.GetBoolean(6),
            Period = row.GetBoolean(7),
            Definition = row.GetString(8),
            Triggers = row.GetString(9),
            KeyLength = row.GetInt32(10),
            Columns = List(row, 11),
            ParentColumns = List(row, 12),
            Operators = List(row, 13),
            ParentCasts = List(row, 14),
            Casts = List(row, 15),
            Collations = List(row, 16),
            ParentHeaps = row.GetFieldValue<uint[]>(17) is { Length: > 0 } leaves
                ? [.. leaves.Select(relations.Find).OfType<Relation>()] : [parent],
            ParentIndex = relations.Find(row.GetFieldValue<uint>(19)),
            Root = relations.Find(row.GetFieldValue<uint>(18)) ?? child,
        };

    private static string[] List(DbDataReader row, int place) => row.IsDBNull(place) ? [] : row.GetFieldValue<string[]>(place);
}
