namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>pg_index against pg_class, operator classes and constraints (src/backend/catalog/index.c).</summary>
internal static class IndexRules
{
    /// <summary>Support functions without which an access method cannot serve an operator class (the "Support Routines" tables of
    /// the manual).</summary>
    private const string RequiredSupport = """
        (VALUES ('btree', 1), ('hash', 1), ('gin', 2), ('gin', 3), ('gist', 1), ('gist', 2), ('gist', 5), ('gist', 6), ('gist',
            7),
                ('spgist', 1), ('spgist', 2), ('spgist', 3), ('spgist', 4), ('spgist', 5), ('brin', 1), ('brin', 2), ('brin', 3),
                    ('brin', 4))
        """;

    public static IReadOnlyList<CatalogRule> All { get; } =
    [
        new("index-row", "pg_index", "a row in pg_index for each index", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'there is none; by pg_depend it belongs to '
                   || coalesce((SELECT pg_catalog.min(t.relname::text) FROM pg_catalog.pg_depend d
                       JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
                                WHERE d.classid = 1259 AND d.objid = c.oid AND d.refclassid = 1259
                                    AND t.relkind IN ('r', 'm', 'p', 't')), 'no table'),
                   'pg_index (' || c.oid || ')'
            FROM pg_catalog.pg_class c
            WHERE c.relkind IN ('i', 'I') AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indexrelid = c.oid)
            """),
        new("index-kind", "pg_index", "an index behind indexrelid and a table behind indrelid", """
            SELECT i.indexrelid, c.relname::text, i.ctid::text, 'relkinds are ' || c.relkind::text || ' and ' || t.relkind::text
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
            WHERE c.relkind NOT IN ('i', 'I') OR t.relkind NOT IN ('r', 'm', 't', 'p')
            """),
        new("index-columns", "pg_index", "as many columns, operator classes, collations and options as indnatts and indnkeyatts say", """
            SELECT i.indexrelid, c.relname::text, i.ctid::text,
                'indnatts ' || i.indnatts || ', indnkeyatts ' || i.indnkeyatts || ', relnatts ' || c.relnatts
                   || ', indkey ' || i.indkey::text || ', indclass ' || i.indclass::text
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
            WHERE i.indnatts <> c.relnatts OR i.indnkeyatts > i.indnatts OR i.indnkeyatts < 1
               OR pg_catalog.array_length(i.indkey, 1) IS DISTINCT FROM i.indnatts::int4
               OR pg_catalog.array_length(i.indclass, 1) IS DISTINCT FROM i.indnkeyatts::int4
               OR pg_catalog.array_length(i.indcollation, 1) IS DISTINCT FROM i.indnkeyatts::int4
               OR pg_catalog.array_length(i.indoption, 1) IS DISTINCT FROM i.indnkeyatts::int4
            """),
        new("index-expressions", "pg_index", "expressions where indkey has zeros, and only there", """
            SELECT i.indexrelid, i.indexrelid::text, i.ctid::text, 'indkey is ' || i.indkey::text || ' and indexprs is '
                   || CASE WHEN i.indexprs IS NULL THEN 'null' ELSE 'there' END
            FROM pg_catalog.pg_index i
            WHERE (0 = ANY ((SELECT pg_catalog.array_agg(k) FROM pg_catalog.unnest(i.indkey) k)::int2[])) IS DISTINCT
                FROM (i.indexprs IS NOT NULL)
            """),
        new("index-support", "pg_amproc", "every support function of the operator classes that an index uses", $"""
            SELECT i.indexrelid, i.indexrelid::text, NULL, 'operator class ' || o.opcname || ' of ' || a.amname
                || ' has no support function '
                   || r.number, 'pg_amproc of ' || o.opcname || ' ' || r.number
            FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indclass) k(class)
            JOIN pg_catalog.pg_opclass o ON o.oid = k.class JOIN pg_catalog.pg_am a ON a.oid = o.opcmethod
            JOIN {RequiredSupport} r(method, number) ON r.method = a.amname
            WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_amproc p WHERE p.amprocfamily = o.opcfamily
                AND p.amproclefttype = o.opcintype
                              AND p.amprocrighttype = o.opcintype AND p.amprocnum = r.number)
            """),
        new("index-operators", "pg_amop", "the five operators of a btree operator class that an index uses, one of a hash operator class", """
            SELECT i.indexrelid, i.indexrelid::text, NULL, 'operator class ' || o.opcname || ' of ' || a.amname
                || ' has no operator ' || r.number,
                   'pg_amop of ' || o.opcname || ' ' || r.number
            FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indclass) k(class)
            JOIN pg_catalog.pg_opclass o ON o.oid = k.class JOIN pg_catalog.pg_am a ON a.oid = o.opcmethod
            JOIN (VALUES ('btree', 1), ('btree', 2), ('btree', 3), ('btree', 4), ('btree', 5), ('hash', 1)) r(method,
                number) ON r.method = a.amname
            WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_amop p WHERE p.amopfamily = o.opcfamily AND p.amoplefttype = o.opcintype
                              AND p.amoprighttype = o.opcintype AND p.amopstrategy = r.number)
            """),
        new("index-primary-constraint", "pg_constraint", "a constraint behind a primary key's index", """
            SELECT i.indexrelid, c.relname::text, i.ctid::text, 'pg_constraint has none'
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
            WHERE i.indisprimary AND t.relkind <> 't' AND t.oid >= 16384
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype = 'p')
            """),
        new("index-primary-nulls", "pg_attribute", "NOT NULL columns under a primary key", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'attnotnull is false'
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) AND a.attnum > 0
            WHERE i.indisprimary AND i.indisvalid AND t.relkind <> 't' AND NOT a.attnotnull
              AND pg_catalog.array_position(i.indkey::int2[], a.attnum) < i.indnkeyatts
            """) { ThingIsColumn = true },
        new("constraint-index", "pg_constraint", "an index behind a primary key, unique or exclusion constraint", """
            SELECT k.conrelid, k.conname::text, k.ctid::text, CASE WHEN k.conindid = 0 THEN 'conindid is 0'
                ELSE 'pg_index has no row '
                   || k.conindid || ' of that table' END
            FROM pg_catalog.pg_constraint k
            WHERE k.contype IN ('p', 'u', 'x')
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indexrelid = k.conindid AND i.indrelid = k.conrelid)
            """),
    ];
}
