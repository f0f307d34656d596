namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>
/// What a constraint, a partition key or the statistics say of columns, against what pg_depend recorded when they were made and against the index that
/// enforces them (pg_constraint.c, index.c, partition.c). A key that names another column than it was made for makes sound rows look like orphans.
/// </summary>
internal static class ColumnRules
{
    /// <summary>Columns of one relation that the constraint k depends on. Grouped once and not asked for each: the catalogs are read without their indexes.</summary>
    private static string Recorded(string relation) => $"""
        LEFT JOIN (SELECT d.objid, d.refobjid, pg_catalog.array_agg(DISTINCT d.refobjsubid ORDER BY d.refobjsubid) AS has FROM pg_catalog.pg_depend d
                   WHERE d.classid = 2606 AND d.refclassid = 1259 AND d.refobjsubid > 0 GROUP BY d.objid, d.refobjid) h ON h.objid = k.oid AND h.refobjid = {relation}
        """;

    private static string Sorted(string keys) => $"""
        (SELECT coalesce(pg_catalog.array_agg(DISTINCT n.n::pg_catalog.int4 ORDER BY n.n::pg_catalog.int4), '{"{}"}')
                   FROM pg_catalog.unnest({keys}) n(n) WHERE n.n > 0)
        """;

    public static IReadOnlyList<CatalogRule> All { get; } =
    [
        // A key with INCLUDE depends on these columns too, an exclusion by an expression on none of its own.
        new("constraint-columns", "pg_constraint", "the columns that pg_depend recorded for the constraint", $"""
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'conkey names columns ' || s.says::text || ' and pg_depend ' || s.has::text
            FROM pg_catalog.pg_constraint k {Recorded("k.conrelid")}
            CROSS JOIN LATERAL (SELECT {Sorted("k.conkey || CASE WHEN k.contype = 'f' AND k.confrelid = k.conrelid THEN k.confkey END")} AS says,
                coalesce(h.has, ARRAY[]::pg_catalog.int4[]) AS has) s
            WHERE k.conrelid >= 16384 AND k.contype IN ('c', 'f', 'n', 'p', 'u', 'x')
              AND (NOT s.has @> s.says OR (k.contype IN ('c', 'f', 'n') AND s.has <> s.says))
            """) { Misleads = true },
        new("constraint-index-columns", "pg_constraint", "the columns of the index that enforces the constraint", """
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'conkey is ' || k.conkey::text || ' and the index has ' || s.has::text
            FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid AND i.indrelid = k.conrelid
            CROSS JOIN LATERAL (SELECT pg_catalog.array_agg(i.indkey[n.n] ORDER BY n.n) AS has FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) n(n)) s
            WHERE k.contype IN ('p', 'u', 'x') AND k.conkey IS DISTINCT FROM s.has
            """),
        new("foreign-key-columns", "pg_constraint", "the referenced columns that pg_depend recorded for the foreign key", $"""
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'confkey names columns ' || s.says::text || ' of ' || k.confrelid::regclass::text
                   || ' and pg_depend ' || s.has::text
            FROM pg_catalog.pg_constraint k {Recorded("k.confrelid")}
            CROSS JOIN LATERAL (SELECT {Sorted("k.confkey")} AS says, coalesce(h.has, ARRAY[]::pg_catalog.int4[]) AS has) s
            WHERE k.conrelid >= 16384 AND k.contype = 'f' AND k.confrelid <> k.conrelid AND s.has <> s.says
            """) { Misleads = true },
        new("foreign-key-index", "pg_constraint", "a unique index over the referenced columns", $"""
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'conindid is ' || coalesce(i.indexrelid::regclass::text, k.conindid::text)
                   || coalesce(', of ' || i.indrelid::regclass::text || ' columns ' || i.indkey::text, '') || ', and confkey ' || k.confkey::text
                   || ' of ' || k.confrelid::regclass::text
            FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid
            WHERE k.contype = 'f' AND (i.indrelid <> k.confrelid OR NOT (i.indisunique OR i.indisexclusion)
              OR {Sorted("k.confkey")} <> {Sorted("ARRAY(SELECT i.indkey[n.n] FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) n(n))")})
            """) { Misleads = true },
        new("constraint-period", "pg_constraint", "conperiod where the index excludes overlaps, and nowhere else", """
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'conperiod is ' || k.conperiod || ' and indisexclusion ' || i.indisexclusion
            FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid AND i.indrelid = k.conrelid
            WHERE k.contype IN ('p', 'u') AND k.conperiod <> i.indisexclusion
            """) { Columns = ["pg_constraint.conperiod"] },
        // From 18 on each NOT NULL is a row of pg_constraint; the catalogs themselves have none.
        new("column-not-null", "pg_attribute", "attnotnull where pg_constraint has a NOT NULL for the column, and nowhere else", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'attnotnull is ' || a.attnotnull || ' and pg_constraint has '
                   || CASE WHEN a.attnotnull THEN 'none' ELSE 'one' END
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f') AND c.oid >= 16384
            LEFT JOIN (SELECT DISTINCT k.conrelid, k.conkey[1] AS num FROM pg_catalog.pg_constraint k WHERE k.contype = 'n') k
                ON k.conrelid = a.attrelid AND k.num = a.attnum
            WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull <> (k.conrelid IS NOT NULL)
            """) { SinceMajor = 18, ThingIsColumn = true },
        new("column-virtual", "pg_attribute", "no statistics and no index for a column that is never stored", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'attgenerated is v and ' || s.place
            FROM pg_catalog.pg_attribute a
            JOIN (SELECT starelid, staattnum, 'pg_statistic has a row' FROM pg_catalog.pg_statistic
                  UNION ALL SELECT i.indrelid, n.n, 'an index is made of it' FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) n(n)) s(rel, num, place)
                ON s.rel = a.attrelid AND s.num = a.attnum
            WHERE a.attgenerated = 'v'
            """) { SinceMajor = 18, ThingIsColumn = true },
        // DROP COLUMN takes all of these with it.
        new("column-dropped-traces", "pg_attribute", "nothing that is left of a column that is dropped", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'attisdropped is true and ' || pg_catalog.string_agg(DISTINCT s.place, ', ')
            FROM pg_catalog.pg_attribute a
            JOIN (SELECT starelid, staattnum, 'pg_statistic has a row' FROM pg_catalog.pg_statistic
                  UNION ALL SELECT adrelid, adnum, 'pg_attrdef has a default' FROM pg_catalog.pg_attrdef
                  UNION ALL SELECT i.indrelid, n.n, 'an index is made of it' FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) n(n)
                  UNION ALL SELECT k.conrelid, n.n, 'constraint ' || k.conname || ' is about it' FROM pg_catalog.pg_constraint k CROSS JOIN LATERAL pg_catalog.unnest(k.conkey) n(n)
                  UNION ALL SELECT k.confrelid, n.n, 'foreign key ' || k.conname || ' refers to it' FROM pg_catalog.pg_constraint k CROSS JOIN LATERAL pg_catalog.unnest(k.confkey) n(n)
                  ) s(rel, num, place) ON s.rel = a.attrelid AND s.num = a.attnum
            WHERE a.attisdropped GROUP BY a.attrelid, a.attname, a.ctid
            """) { ThingIsColumn = true, Misleads = true },
        // ALTER COLUMN TYPE throws the statistics away. Only types of the server's own whose order is theirs: others borrow a class, or gained one later.
        new("column-statistics-type", "pg_attribute", "the type that its statistics were made for", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'the column has type ' || a.atttypid::regtype::text || ' and its statistics compare '
                   || o.oprleft::regtype::text
            FROM pg_catalog.pg_statistic s JOIN pg_catalog.pg_class c ON c.oid = s.starelid AND c.relkind IN ('r', 'm', 'p', 'f') AND c.oid >= 16384
            JOIN pg_catalog.pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum AND NOT a.attisdropped AND a.atttypid < 12000
            JOIN pg_catalog.pg_opclass k ON k.opcintype = a.atttypid AND k.opcmethod = 403 AND k.opcdefault AND k.oid < 16384
            CROSS JOIN LATERAL (VALUES (s.stakind1, s.staop1), (s.stakind2, s.staop2), (s.stakind3, s.staop3)) p(kind, op)
            JOIN pg_catalog.pg_operator o ON o.oid = p.op
            WHERE p.kind IN (1, 2, 3) AND o.oprleft <> a.atttypid
            GROUP BY a.attrelid, a.attname, a.ctid, a.atttypid, o.oprleft
            """) { ThingIsColumn = true, Misleads = true },
        new("partition-key-columns", "pg_partitioned_table", "the columns that pg_depend recorded for the partition key", """
            SELECT t.partrelid, t.partrelid::text, t.ctid::text, 'partattrs is ' || t.partattrs::text || ' and pg_depend has none on column ' || n.n
            FROM pg_catalog.pg_partitioned_table t CROSS JOIN LATERAL pg_catalog.unnest(t.partattrs) n(n)
            WHERE n.n > 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = t.partrelid AND d.objsubid = n.n
                AND d.refclassid = 1259 AND d.refobjid = t.partrelid AND d.refobjsubid = 0 AND d.deptype = 'i')
            """) { Misleads = true },
        // An index behind a constraint leans on the constraint instead, and one over expressions alone on the table.
        new("index-columns", "pg_index", "the columns that pg_depend recorded for the index", """
            SELECT i.indexrelid, i.indexrelid::text, i.ctid::text, 'indkey is ' || i.indkey::text || ' and pg_depend has none on column ' || n.n
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid AND c.relkind <> 't' AND c.oid >= 16384
            CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) n(n)
            WHERE n.n > 0 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = i.indexrelid
                AND (d.refclassid = 2606 OR (d.refclassid = 1259 AND d.refobjid = i.indrelid AND d.refobjsubid = n.n)))
            """) { Misleads = true },
        // CREATE TYPE and ALTER TYPE give an even OID only where it sorts rightly among the even ones (pg_enum.c), and the server compares these by OID alone.
        new("enum-order", "pg_enum", "labels of even OIDs in the order of their OIDs, as they are compared", """
            SELECT 0::oid, t.typname::text, e.place, pg_catalog.quote_literal(e.label) || ' (' || e.oid || ') has enumsortorder ' || e.sorted || ', after '
                   || pg_catalog.quote_literal(e.label_before) || ' with ' || e.sorted_before
            FROM (SELECT x.oid, x.enumtypid, x.ctid::text AS place, x.enumlabel::text AS label, x.enumsortorder AS sorted,
                    pg_catalog.lag(x.enumsortorder) OVER w AS sorted_before, pg_catalog.lag(x.enumlabel::text) OVER w AS label_before
                FROM pg_catalog.pg_enum x WHERE x.oid::int8 % 2 = 0 WINDOW w AS (PARTITION BY x.enumtypid ORDER BY x.oid)) e
            JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid
            WHERE e.sorted < e.sorted_before
            """),
        // A file is first numbered as its relation. Rewriting never gives it the number of another that lives; two that have each other's were exchanged.
        // pg_repack exchanges them with those of its own table, which stays when it is interrupted.
        new("relation-file-exchanged", "pg_class", "its own file", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relfilenode ' || c.relfilenode || ' is the first file of ' || o.relname || ', which has relfilenode ' || o.relfilenode
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_class o ON o.oid = c.relfilenode AND o.relfilenode = c.oid AND o.reltablespace = c.reltablespace
            WHERE c.relfilenode <> c.oid AND c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_class r
                JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace AND n.nspname = 'repack' WHERE r.relname ~ '^(table|log)_[0-9]+$')
            """) { Misleads = true },
    ];
}
