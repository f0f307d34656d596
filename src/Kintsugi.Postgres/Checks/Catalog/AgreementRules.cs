namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>Rows of different catalogs that say the same thing and must agree, though every reference between them is whole.</summary>
internal static class AgreementRules
{
    /// <summary>Types whose values an operator class for another type takes as they are: the type itself, under a domain, by a cast without a function;
    /// what a polymorphic class takes is not judged.</summary>
    private const string Unfit = """
        o.opcintype <> a.atttypid AND o.opcintype <> coalesce(nullif(t.typbasetype, 0), t.oid)
              AND t.typtype <> 'p' AND (t.typbasetype = 0 OR (SELECT b.typtype FROM pg_catalog.pg_type b WHERE b.oid = t.typbasetype) <> 'd')
              AND (SELECT p.typtype FROM pg_catalog.pg_type p WHERE p.oid = o.opcintype) <> 'p'
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast k WHERE k.castsource = coalesce(nullif(t.typbasetype, 0), t.oid)
                              AND k.casttarget = o.opcintype AND k.castmethod = 'b')
        """;

    public static IReadOnlyList<CatalogRule> All { get; } =
    [
        // Other access methods store something else than the value: hash its code.
        new("index-column-type", "pg_attribute", "an index column of the type of its table's column", """
            SELECT i.indexrelid, x.attname::text, x.ctid::text, 'type ' || x.atttypid || ' stands over column ' || a.attname || ' of type ' || a.atttypid
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname = 'btree'
            CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnatts) n(n)
            JOIN pg_catalog.pg_attribute x ON x.attrelid = i.indexrelid AND x.attnum = n.n
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n.n - 1] AND a.attnum > 0
            LEFT JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[n.n - 1] AND n.n <= i.indnkeyatts
            WHERE x.atttypid <> a.atttypid AND coalesce(o.opckeytype, 0) = 0
            """) { ThingIsColumn = true },
        new("index-class-type", "pg_index", "an operator class for the column's type", $"""
            SELECT i.indexrelid, i.indexrelid::text, i.ctid::text, 'operator class ' || o.opcname || ' is for type ' || o.opcintype || ', column '
                   || a.attname || ' has type ' || a.atttypid
            FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnkeyatts) n(n)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n.n - 1] AND a.attnum > 0
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[n.n - 1]
            WHERE i.indexrelid >= 16384 AND {Unfit}
            """),
        new("partition-class-type", "pg_partitioned_table", "an operator class for the key column's type", $"""
            SELECT i.partrelid, i.partrelid::text, i.ctid::text, 'operator class ' || o.opcname || ' is for type ' || o.opcintype || ', column '
                   || a.attname || ' has type ' || a.atttypid
            FROM pg_catalog.pg_partitioned_table i CROSS JOIN LATERAL pg_catalog.generate_series(1, i.partnatts) n(n)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.partrelid AND a.attnum = i.partattrs[n.n - 1] AND a.attnum > 0
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            JOIN pg_catalog.pg_opclass o ON o.oid = i.partclass[n.n - 1]
            WHERE {Unfit}
            """),
        new("index-method", "pg_class", "the access method of its operator classes", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relam is ' || c.relam || ' and operator class ' || o.opcname || ' is of ' || o.opcmethod
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid CROSS JOIN LATERAL pg_catalog.unnest(i.indclass) k(class)
            JOIN pg_catalog.pg_opclass o ON o.oid = k.class WHERE o.opcmethod <> c.relam
            """),
        new("index-persistence", "pg_class", "the persistence of its table", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relpersistence is ' || c.relpersistence::text || ', that of ' || t.relname || ' is ' || t.relpersistence::text
            FROM (SELECT indexrelid, indrelid FROM pg_catalog.pg_index UNION ALL SELECT reltoastrelid, oid FROM pg_catalog.pg_class WHERE reltoastrelid <> 0) own(part, owner)
            JOIN pg_catalog.pg_class c ON c.oid = own.part JOIN pg_catalog.pg_class t ON t.oid = own.owner
            WHERE c.relkind IN ('i', 't') AND c.relpersistence <> t.relpersistence
            """),
        new("index-primary-unique", "pg_index", "a unique index behind a primary key", """
            SELECT i.indexrelid, i.indexrelid::text, i.ctid::text, 'indisunique is false'
            FROM pg_catalog.pg_index i WHERE i.indisprimary AND NOT i.indisunique
            """),
        new("index-deferrable", "pg_index", "indimmediate as its constraint is not deferrable", """
            SELECT i.indexrelid, k.conname::text, i.ctid::text, 'indimmediate is ' || i.indimmediate || ' and condeferrable ' || k.condeferrable
            FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid AND i.indrelid = k.conrelid
            WHERE k.contype IN ('p', 'u', 'x') AND i.indimmediate = k.condeferrable
            """),
        new("column-dropped", "pg_attribute", "no type for a column that is dropped", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'attisdropped is true and atttypid ' || a.atttypid
            FROM pg_catalog.pg_attribute a WHERE a.attisdropped AND a.atttypid <> 0
            """) { ThingIsColumn = true },
        new("column-collation", "pg_attribute", "a collation for a column of a type that needs one", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'attcollation is 0'
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'm', 'p') AND c.oid >= 16384
            WHERE NOT a.attisdropped AND a.attcollation = 0 AND t.typcollation <> 0
            """) { ThingIsColumn = true },
        new("column-identity", "pg_attribute", "attidentity where a sequence belongs to the column as its identity", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'attidentity is empty'
            FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
            JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
            WHERE d.classid = 1259 AND d.refclassid = 1259 AND d.refobjsubid > 0 AND d.deptype = 'i' AND a.attidentity = ''
            """) { ThingIsColumn = true },
        new("column-generated", "pg_attribute", "attgenerated where the expression reads other columns", """
            SELECT a.attrelid, a.attname::text, a.ctid::text, 'attgenerated is empty'
            FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
            WHERE a.attgenerated = '' AND pg_catalog.strpos(d.adbin::text, '{VAR :varno ') > 0
            """) { ThingIsColumn = true },
        // While a partition is being detached concurrently, the parent's columns change without it.
        new("column-inherited", "pg_attribute", "each column of the parent, of the same type", """
            SELECT i.inhrelid, p.attname::text, i.ctid::text, CASE WHEN c.attnum IS NULL THEN 'there is none' ELSE 'it has type ' || c.atttypid || ' instead of ' || p.atttypid END
            FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class k ON k.oid = i.inhparent AND k.relkind IN ('r', 'p', 'f')
            JOIN pg_catalog.pg_attribute p ON p.attrelid = i.inhparent AND p.attnum > 0 AND NOT p.attisdropped
            LEFT JOIN pg_catalog.pg_attribute c ON c.attrelid = i.inhrelid AND c.attname = p.attname AND NOT c.attisdropped
            WHERE (c.attnum IS NULL OR c.atttypid <> p.atttypid) AND (pg_catalog.to_jsonb(i) ->> 'inhdetachpending') IS DISTINCT FROM 'true'
            """),
        new("partition-default", "pg_partitioned_table", "partdefid to name the default partition", """
            SELECT i.inhparent, c.relname::text, k.ctid::text, 'partdefid is ' || k.partdefid
            FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_partitioned_table k ON k.partrelid = i.inhparent
            JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
            WHERE pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' AND k.partdefid <> c.oid
            """),
        new("trigger-event", "pg_trigger", "an event, a function that returns trigger, and as many arguments as tgnargs says", """
            SELECT t.tgrelid, t.tgname::text, t.ctid::text, 'tgtype is ' || t.tgtype || ', ' || p.proname || ' returns type ' || p.prorettype || ', tgnargs is ' || t.tgnargs
            FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
            WHERE (t.tgtype & 60) = 0 OR p.prorettype <> 2279 OR t.tgnargs <> (SELECT count(*)
                FROM pg_catalog.generate_series(0, pg_catalog.octet_length(t.tgargs) - 1) b(b) WHERE pg_catalog.get_byte(t.tgargs, b.b) = 0)
            """),
        new("trigger-action", "pg_trigger", "the function of the foreign key's action", """
            SELECT k.conrelid, k.conname::text, t.ctid::text, 'the constraint says ' || a.letter || ' and its trigger calls ' || p.proname
            FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_trigger t ON t.tgconstraint = k.oid AND t.tgrelid = k.confrelid
            JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid AND p.proname ~ '^RI_FKey_(noaction|restrict|cascade|setnull|setdefault)_(del|upd)$'
            CROSS JOIN LATERAL (SELECT CASE WHEN p.proname ~ 'del$' THEN k.confdeltype ELSE k.confupdtype END::text) a(letter)
            WHERE k.contype = 'f' AND pg_catalog.split_part(p.proname::text, '_', 3) <> CASE a.letter
                WHEN 'a' THEN 'noaction' WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'setnull' WHEN 'd' THEN 'setdefault' ELSE '' END
            """),
        new("function-arguments", "pg_proc", "as many arguments as pronargs says", """
            SELECT 0::oid, p.proname::text, p.ctid::text, 'pronargs is ' || p.pronargs || ', proargtypes has ' || coalesce(pg_catalog.array_length(p.proargtypes, 1), 0)
                   || ', pronargdefaults is ' || p.pronargdefaults
            FROM pg_catalog.pg_proc p WHERE p.pronargs <> coalesce(pg_catalog.array_length(p.proargtypes, 1), 0) OR p.pronargdefaults NOT BETWEEN 0 AND p.pronargs
            """),
        new("function-aggregate", "pg_aggregate", "a row in pg_aggregate for each aggregate", """
            SELECT 0::oid, p.proname::text, p.ctid::text, 'there is none'
            FROM pg_catalog.pg_proc p WHERE p.prokind = 'a' AND NOT EXISTS (SELECT FROM pg_catalog.pg_aggregate g WHERE g.aggfnoid = p.oid)
            """),
        new("operator-result", "pg_operator", "the result type of its function", """
            SELECT 0::oid, o.oprname::text, o.ctid::text, 'oprresult is ' || o.oprresult || ' and ' || p.proname || ' returns ' || p.prorettype
            FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode WHERE o.oprresult <> p.prorettype
            """),
        new("type-functions", "pg_type", "the input and output functions of its kind", """
            SELECT 0::oid, t.typname::text, t.ctid::text, 'typtype is ' || t.typtype::text || ' and it is read by ' || i.proname || ' and written by ' || o.proname
            FROM pg_catalog.pg_type t JOIN pg_catalog.pg_proc i ON i.oid = t.typinput JOIN pg_catalog.pg_proc o ON o.oid = t.typoutput
            JOIN (VALUES ('e', 'enum_in', 'enum_out'), ('c', 'record_in', 'record_out'), ('r', 'range_in', 'range_out'),
                ('m', 'multirange_in', 'multirange_out')) k(kind, input, output) ON k.kind = t.typtype::text
            WHERE i.proname <> k.input OR o.proname <> k.output
            """),
        new("type-array-link", "pg_type", "typarray to lead to its array type", """
            SELECT 0::oid, e.typname::text, e.ctid::text, 'typarray is ' || e.typarray || ' and ' || t.typname || ' (' || t.oid || ') has it as element'
            FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type e ON e.oid = t.typelem
            JOIN pg_catalog.pg_proc i ON i.oid = t.typinput AND i.proname = 'array_in' AND i.pronamespace = 11
            WHERE t.typlen = -1 AND t.typtype = 'b' AND e.typarray = 0 AND t.typname = pg_catalog.concat('_', e.typname)
            """),
        new("statistics-kind", "pg_statistic", "a kind of statistics that the server knows", """
            SELECT s.starelid, s.staattnum::text, s.ctid::text, 'a slot has kind ' || k.kind
            FROM pg_catalog.pg_statistic s CROSS JOIN LATERAL (VALUES (s.stakind1), (s.stakind2), (s.stakind3), (s.stakind4), (s.stakind5)) k(kind)
            WHERE k.kind < 0 OR k.kind BETWEEN 8 AND 99
            """) { Fault = Faults.StatisticsCorrupt },
    ];
}
