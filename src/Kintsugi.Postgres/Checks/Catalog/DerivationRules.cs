namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>What the server takes over from one row when it writes another: operators of keys, columns of expressions, layouts of domains, ranges of sequences.</summary>
internal static class DerivationRules
{
    public static IReadOnlyList<CatalogRule> All { get; } =
    [
        // A period is covered by containment, and is left out (ri_triggers.c, PERIOD).
        new("constraint-equality", "pg_constraint", "equality of a btree operator family between the columns of a foreign key", """
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'conpfeqop has operator ' || o.op || ' at position ' || o.n
            FROM pg_catalog.pg_constraint k CROSS JOIN LATERAL pg_catalog.unnest(k.conpfeqop) WITH ORDINALITY o(op, n)
            WHERE k.contype = 'f' AND coalesce((pg_catalog.to_jsonb(k) ->> 'conperiod')::bool, false) = false
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_amop m WHERE m.amopopr = o.op AND m.amopmethod = 403 AND m.amopstrategy = 3)
            """) { Misleads = true },
        new("constraint-exclusion", "pg_constraint", "operators of the operator classes of the index that excludes", """
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'conexclop has operator ' || o.op || ' at position ' || o.n
                   || ', which is not of ' || c.opcname
            FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid AND i.indrelid = k.conrelid
            CROSS JOIN LATERAL pg_catalog.unnest(k.conexclop) WITH ORDINALITY o(op, n)
            JOIN pg_catalog.pg_opclass c ON c.oid = i.indclass[o.n::int4 - 1]
            WHERE k.conexclop IS NOT NULL
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_amop m WHERE m.amopopr = o.op AND m.amopfamily = c.opcfamily AND m.amoppurpose = 's')
            """) { Misleads = true },
        // conkey has the columns of the expression, those of the system and the whole row among them (StoreRelCheck in heap.c).
        new("constraint-check-columns", "pg_constraint", "the columns that conkey names in the expression of a CHECK constraint", """
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'the expression reads columns ' || e.read::text || ' and conkey is ' || coalesce(k.conkey::text, 'null')
            FROM pg_catalog.pg_constraint k
            CROSS JOIN LATERAL (SELECT coalesce(pg_catalog.array_agg(DISTINCT v.found[1]::int2), '{}') AS read
                FROM pg_catalog.regexp_matches(k.conbin::text, ':varattno (-?[0-9]+)', 'g') v(found)) e
            WHERE k.contype = 'c' AND k.conrelid >= 16384 AND k.conbin IS NOT NULL
              AND NOT (e.read @> coalesce(k.conkey, '{}') AND coalesce(k.conkey, '{}') @> e.read)
            """) { Misleads = true },
        new("inherits-parent", "pg_inherits", "a parent for each column that is inherited", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'attinhcount is ' || a.attinhcount || ' and pg_inherits has no row of the table'
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'f') AND NOT c.relispartition
            WHERE a.attinhcount > 0 AND NOT a.attisdropped AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = a.attrelid)
            """) { ThingIsColumn = true },
        new("inherits-count", "pg_attribute", "attinhcount to count the parents that have the column", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'attinhcount is 0 and ' || p.relname || ' has the column'
            FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class p ON p.oid = i.inhparent AND p.relkind IN ('r', 'p', 'f')
            JOIN pg_catalog.pg_attribute b ON b.attrelid = i.inhparent AND b.attnum > 0 AND NOT b.attisdropped
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.inhrelid AND a.attname = b.attname AND NOT a.attisdropped
            WHERE a.attinhcount = 0
            """) { ThingIsColumn = true },
        new("domain-layout", "pg_type", "length, alignment and passing of the type under the domain", """
            SELECT 0::oid, t.typname::text, t.ctid::text, 'it has (' || t.typlen || ', ' || t.typalign::text || ', ' || t.typbyval || '), type '
                   || b.typname || ' has (' || b.typlen || ', ' || b.typalign::text || ', ' || b.typbyval || ')'
            FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
            WHERE t.typtype = 'd' AND (t.typlen, t.typalign, t.typbyval) IS DISTINCT FROM (b.typlen, b.typalign, b.typbyval)
            """),
        new("sequence-type", "pg_sequence", "a minimum and a maximum that its type can hold", """
            SELECT s.seqrelid, s.seqrelid::text, s.ctid::text, 'its type is ' || t.typname || ', minimum ' || s.seqmin || ', maximum ' || s.seqmax
            FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_type t ON t.oid = s.seqtypid
            WHERE t.oid NOT IN (20, 21, 23) OR (t.oid = 21 AND (s.seqmin < -32768 OR s.seqmax > 32767))
               OR (t.oid = 23 AND (s.seqmin < -2147483648 OR s.seqmax > 2147483647))
            """),
        new("partition-strategy", "pg_partitioned_table", "the strategy that the bounds of its partitions were written for", """
            SELECT k.partrelid, p.relname::text, k.ctid::text, 'partstrat is ' || k.partstrat::text || ' and the bound of ' || c.relname || ' is of strategy '
                   || pg_catalog.substring(c.relpartbound::text, ':strategy ([a-z])')
            FROM pg_catalog.pg_partitioned_table k JOIN pg_catalog.pg_class p ON p.oid = k.partrelid
            JOIN pg_catalog.pg_inherits i ON i.inhparent = k.partrelid JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
            WHERE pg_catalog.substring(c.relpartbound::text, ':strategy ([a-z])') <> k.partstrat::text
            """),
        new("type-depend", "pg_depend", "a dependency of each column on its type, so that the type is not dropped under it", """
            SELECT a.attrelid, a.attname::text, NULL, 'pg_depend has none from the column to type ' || t.typname
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND c.oid >= 16384
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.oid >= 16384
            WHERE a.attnum > 0 AND NOT a.attisdropped AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = a.attrelid
                AND d.objsubid = a.attnum AND d.refclassid = 1247 AND d.refobjid = a.atttypid)
            """) { ThingIsColumn = true },
    ];
}
