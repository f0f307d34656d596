namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>pg_class, pg_attribute, pg_attrdef, pg_rewrite, pg_inherits, pg_sequence, pg_partitioned_table, pg_foreign_table
/// (src/backend/catalog/heap.c).</summary>
internal static class RelationRules
{
    public static IReadOnlyList<CatalogRule> All { get; } =
    [
        new("column-missing", "pg_attribute", "a row in pg_attribute for each of relnatts columns", """
            SELECT c.oid, '#' || n.n, NULL, 'relnatts of ' || c.relname || ' is ' || c.relnatts || ' and column number ' || n.n
                || ' is missing',
                   'pg_attribute (' || c.oid || ',' || n.n || ')'
            FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.generate_series(1, c.relnatts) n(n)
            WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = n.n)
            """) { ThingIsColumn = true },
        new("column-surplus", "pg_attribute", "no column beyond relnatts", """
            SELECT c.oid, a.attname::text, a.ctid::text, 'column number ' || a.attnum || ' is there and relnatts of '
                || c.relname || ' is ' || c.relnatts
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE a.attnum > c.relnatts
            """) { ThingIsColumn = true },
        new("column-system", "pg_attribute", "the six system columns, ctid to tableoid", """
            SELECT c.oid, c.relname::text, NULL, 'pg_attribute has ' || count(a.attnum) || ' of them'
            FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum < 0
            WHERE c.relkind IN ('r', 'm', 't', 'S', 'p', 'f') GROUP BY c.oid, c.relname HAVING count(a.attnum) <> 6
            """),
        new("column-type", "pg_attribute", "length, alignment and passing as its type has them", """
            SELECT a.attrelid, a.attname::text, a.ctid::text,
                'the column has (' || a.attlen || ', ' || a.attalign::text || ', ' || a.attbyval || '), type '
                   || t.typname || ' has (' || t.typlen || ', ' || t.typalign::text || ', ' || t.typbyval || ')'
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            WHERE NOT a.attisdropped AND (a.attlen, a.attalign, a.attbyval) IS DISTINCT FROM (t.typlen, t.typalign, t.typbyval)
            """) { ThingIsColumn = true },
        new("column-untyped", "pg_attribute", "a type for a column that is not dropped", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'atttypid is 0'
            FROM pg_catalog.pg_attribute a WHERE a.atttypid = 0 AND NOT a.attisdropped
            """) { ThingIsColumn = true },
        new("default-missing", "pg_attrdef", "an expression in pg_attrdef where atthasdef says that there is one, and none else", """
            SELECT a.attrelid, a.attname::text, a.ctid::text,
                   CASE WHEN a.atthasdef THEN 'atthasdef is true and pg_attrdef has no row'
                       ELSE 'pg_attrdef has a row and atthasdef is false' END
            FROM pg_catalog.pg_attribute a
            WHERE a.attnum > 0 AND NOT a.attisdropped
              AND a.atthasdef <> EXISTS (SELECT FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum)
            """) { ThingIsColumn = true },
        new("default-generated", "pg_attribute", "an expression for a generated column, and a value for a column added with a default", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, CASE WHEN a.attgenerated <> ''
                AND NOT a.atthasdef THEN 'attgenerated is '
                   || a.attgenerated::text || ' and atthasdef is false' ELSE 'atthasmissing is true and attmissingval is null' END
            FROM pg_catalog.pg_attribute a
            WHERE a.attnum > 0 AND NOT a.attisdropped
              AND ((a.attgenerated <> '' AND NOT a.atthasdef) OR (a.atthasmissing AND a.attmissingval IS NULL))
            """) { ThingIsColumn = true },
        new("identity-without-sequence", "pg_attribute", "a sequence that belongs to the identity column", """
            SELECT a.attrelid, a.attname::text, a.ctid::text,
                'attidentity is ' || a.attidentity::text || ' and pg_depend leads from no sequence to it'
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            WHERE a.attidentity <> '' AND NOT a.attisdropped AND NOT c.relispartition
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.refclassid = 1259
                  AND d.refobjid = a.attrelid
                              AND d.refobjsubid = a.attnum AND d.deptype = 'i')
            """) { ThingIsColumn = true },
        new("relation-kind", "pg_class", "a known kind and persistence", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relkind is ' || pg_catalog.quote_literal(c.relkind::text)
                || ', relpersistence '
                   || pg_catalog.quote_literal(c.relpersistence::text)
            FROM pg_catalog.pg_class c
            WHERE c.relkind NOT IN ('r', 'i', 't', 'm', 'S', 'p', 'I', 'v', 'c', 'f') OR c.relpersistence NOT IN ('p', 'u', 't')
               OR c.relnatts < 0 OR c.relnatts > 1664
            """),
        new("relation-file", "pg_class", "a file number for a relation that has storage", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relfilenode is 0'
            FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'i', 't', 'm', 'S') AND c.relfilenode = 0 AND c.oid >= 16384
            """),
        new("relation-file-shared", "pg_class", "a file of its own", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relfilenode ' || c.relfilenode || ' also belongs to ' || o.relname
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_class o ON o.relfilenode = c.relfilenode
                AND o.reltablespace = c.reltablespace AND o.oid <> c.oid
            WHERE c.relfilenode <> 0 AND c.relpersistence <> 't' AND o.relpersistence <> 't'
            """) { Misleads = true },
        new("row-type", "pg_class", "a row type that leads back to the relation", """
            SELECT c.oid, c.relname::text, c.ctid::text, CASE WHEN c.reltype = 0 THEN 'reltype is 0'
                   ELSE 'type ' || c.reltype || ' has typrelid ' || t.typrelid || ', typtype ' || t.typtype::text END
            FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_type t ON t.oid = c.reltype
            WHERE (c.relkind IN ('r', 'v', 'm', 'f', 'p', 'c') AND c.reltype = 0)
               OR (c.reltype <> 0 AND t.oid IS NOT NULL AND (t.typrelid <> c.oid OR t.typtype <> 'c'))
            """),
        new("toast-link", "pg_class", "one table whose reltoastrelid leads to the TOAST table", """
            SELECT coalesce((SELECT pg_catalog.max(d.refobjid) FROM pg_catalog.pg_depend d WHERE d.classid = 1259
                AND d.objid = t.oid
                             AND d.refclassid = 1259 AND d.deptype = 'i'), t.oid), t.relname::text, t.ctid::text,
                                 count(c.oid) || ' do'
            FROM pg_catalog.pg_class t LEFT JOIN pg_catalog.pg_class c ON c.reltoastrelid = t.oid
            WHERE t.relkind = 't' GROUP BY t.oid, t.relname, t.ctid HAVING count(c.oid) <> 1
            """),
        new("toast-kind", "pg_class", "a TOAST table of three columns behind reltoastrelid", """
            SELECT c.oid, c.relname::text, c.ctid::text, t.relname || ' has relkind ' || t.relkind::text || ' and ' || t.relnatts
                || ' columns'
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid WHERE t.relkind <> 't'
                OR t.relnatts <> 3
            """),
        new("toast-index", "pg_index", "a valid unique index on the TOAST table", """
            SELECT t.oid, t.relname::text, t.ctid::text, 'pg_index has none'
            FROM pg_catalog.pg_class t WHERE t.relkind = 't' AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i
                 WHERE i.indrelid = t.oid AND i.indisvalid AND i.indisready AND i.indisunique)
            """),
        new("flag-relhasindex", "pg_class", "relhasindex, so that indexes are maintained and used", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relhasindex is false and pg_index has ' || count(*)
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indislive
            WHERE NOT c.relhasindex GROUP BY c.oid, c.relname, c.ctid
            """),
        new("flag-relhastriggers", "pg_class", "relhastriggers, so that triggers fire", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relhastriggers is false and pg_trigger has ' || count(*)
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid
            WHERE NOT c.relhastriggers GROUP BY c.oid, c.relname, c.ctid
            """),
        new("flag-relhasrules", "pg_class", "relhasrules, so that rules apply", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relhasrules is false and pg_rewrite has ' || count(*)
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid
            WHERE NOT c.relhasrules GROUP BY c.oid, c.relname, c.ctid
            """),
        new("flag-relhassubclass", "pg_class", "relhassubclass, so that children are read", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relhassubclass is false and pg_inherits has ' || count(*) || ' children'
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid
            WHERE NOT c.relhassubclass GROUP BY c.oid, c.relname, c.ctid
            """),
        new("flag-relchecks", "pg_class", "as many CHECK constraints as relchecks counts", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relchecks is ' || c.relchecks || ' and pg_constraint has '
                || count(k.oid)
            FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c'
            GROUP BY c.oid, c.relname, c.ctid, c.relchecks HAVING count(k.oid) <> c.relchecks
            """),
        new("view-rule", "pg_rewrite", "the rule that says what the view selects", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'pg_rewrite has no rule for SELECT'
            FROM pg_catalog.pg_class c WHERE c.relkind IN ('v', 'm')
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '1')
            """),
        new("sequence-row", "pg_sequence", "a row in pg_sequence for each sequence", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'there is none'
            FROM pg_catalog.pg_class c WHERE c.relkind = 'S' AND NOT EXISTS (SELECT FROM pg_catalog.pg_sequence s
                WHERE s.seqrelid = c.oid)
            """),
        new("sequence-range", "pg_sequence", "an increment that is not 0, a minimum below the maximum, a start between them", """
            SELECT s.seqrelid, s.seqrelid::text, s.ctid::text,
                'increment ' || s.seqincrement || ', minimum ' || s.seqmin || ', maximum '
                   || s.seqmax || ', start ' || s.seqstart || ', cache ' || s.seqcache
            FROM pg_catalog.pg_sequence s
            WHERE s.seqincrement = 0 OR s.seqmin >= s.seqmax OR s.seqstart < s.seqmin OR s.seqstart > s.seqmax OR s.seqcache < 1
            """),
        new("partition-parent", "pg_inherits", "a parent for each partition", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relispartition is true and pg_inherits has no row'
            FROM pg_catalog.pg_class c WHERE c.relispartition AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i
                WHERE i.inhrelid = c.oid)
            """),
        new("partition-bound", "pg_class", "relispartition and bounds for each child of a partitioned table", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relispartition is ' || c.relispartition || ' and relpartbound is '
                   || CASE WHEN c.relpartbound IS NULL THEN 'null' ELSE 'there' END
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
            JOIN pg_catalog.pg_class p ON p.oid = i.inhparent AND p.relkind IN ('p', 'I')
            WHERE NOT c.relispartition OR (c.relkind NOT IN ('i', 'I') AND c.relpartbound IS NULL)
            """),
        new("partition-key", "pg_partitioned_table", "a partition key for each partitioned table, and for no other", """
            SELECT coalesce(c.oid, k.partrelid), coalesce(c.relname::text, '?'), coalesce(k.ctid, c.ctid)::text,
                   CASE WHEN k.partrelid IS NULL THEN 'pg_partitioned_table has no row' ELSE 'relkind is ' || c.relkind::text END
            FROM pg_catalog.pg_class c FULL JOIN pg_catalog.pg_partitioned_table k ON k.partrelid = c.oid
            WHERE (c.relkind = 'p') IS DISTINCT FROM (k.partrelid IS NOT NULL) AND (c.relkind = 'p' OR k.partrelid IS NOT NULL)
                AND c.oid IS NOT NULL
            """),
        new("foreign-table-row", "pg_foreign_table", "a row in pg_foreign_table for each foreign table", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'there is none'
            FROM pg_catalog.pg_class c WHERE c.relkind = 'f' AND NOT EXISTS (SELECT FROM pg_catalog.pg_foreign_table f
                WHERE f.ftrelid = c.oid)
            """),
    ];
}
