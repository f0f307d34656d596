namespace Kintsugi.Postgres.Checks.Collations;

/// <summary>What the check asks about collations: which have changed, and what rests on their order.</summary>
internal static class CollationSql
{
    /// <summary>The database's own (15 and later): provider, recorded and actual version.</summary>
    public const string Database = """
        SELECT d.datlocprovider::pg_catalog.text, d.datcollversion, pg_catalog.pg_database_collation_actual_version(d.oid)
        FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
        """;

    /// <summary>Each side of OR is read once and hashed: EXISTS would read pg_attribute anew for each of 800 collations.
    /// Collations of this encoding that carry a version and that something of the owner's may use.</summary>
    public const string Recorded = """
        SELECT c.oid, n.nspname::pg_catalog.text, c.collname::pg_catalog.text, c.collprovider::pg_catalog.text, c.collversion
        FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
        WHERE c.collversion IS NOT NULL
          AND c.collencoding IN (-1, (SELECT d.encoding FROM pg_catalog.pg_database d
              WHERE d.datname = pg_catalog.current_database()))
          AND (c.oid IN (SELECT a.attcollation FROM pg_catalog.pg_attribute a)
               OR c.oid IN (SELECT d.refobjid FROM pg_catalog.pg_depend d WHERE d.refclassid = 3456)
               OR c.oid IN (SELECT pg_catalog.unnest(i.indcollation::pg_catalog.oid[]) FROM pg_catalog.pg_index i)
               OR c.oid IN (SELECT r.rngcollation FROM pg_catalog.pg_range r))
        """;

    /// <summary>
    /// Relation, what it is (index, partition, check), the constraint's name and the collation, for the collations in $1. An
    /// index depends by
    /// the collation of a key, by a collation named in its expressions or predicate, or by a column in them; operator classes
    /// that compare
    /// bytes do not, nor does a hash of bytes. A CHECK constraint depends when it compares by order or asks for upper or lower
    /// case.
    /// </summary>
    public const string Dependants = """
        WITH changed AS (SELECT c.oid, c.collisdeterministic FROM pg_catalog.pg_collation c WHERE c.oid = ANY ($1)),
        keys AS (
            SELECT i.indexrelid, i.indrelid, i.indexprs IS NOT NULL
                OR i.indpred IS NOT NULL AS computed, k.coll, o.opcname, a.amname,
                   coalesce(t.atttypid, 0) AS type
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                JOIN pg_catalog.pg_am a ON a.oid = x.relam
            CROSS JOIN LATERAL unnest(i.indcollation::pg_catalog.oid[], i.indclass::pg_catalog.oid[]) WITH ORDINALITY k(coll,
                class, place)
            JOIN pg_catalog.pg_opclass o ON o.oid = k.class
            LEFT JOIN pg_catalog.pg_attribute t ON t.attrelid = i.indexrelid AND t.attnum = k.place
            WHERE x.relkind = 'i' AND i.indrelid >= 16384
        ), ordered AS (
            SELECT DISTINCT m.amopopr FROM pg_catalog.pg_amop m JOIN pg_catalog.pg_type t ON t.oid = m.amoplefttype
            WHERE m.amopmethod = 403 AND m.amopstrategy <> 3 AND t.typcollation <> 0
        )
        SELECT DISTINCT k.indexrelid, 'index', NULL::pg_catalog.text, c.oid
        FROM keys k JOIN changed c ON c.oid = k.coll
        WHERE NOT (c.collisdeterministic AND (k.opcname LIKE '%\_pattern\_ops' OR k.amname = 'hash'))
        UNION
        SELECT k.indexrelid, 'index', NULL, c.oid
        FROM keys k JOIN pg_catalog.pg_range r ON r.rngtypid = k.type JOIN changed c ON c.oid = r.rngcollation
        UNION
        SELECT k.indexrelid, 'index', NULL, c.oid
        FROM keys k JOIN pg_catalog.pg_depend d ON d.classid = 1259 AND d.objid = k.indexrelid AND d.refclassid = 3456
        JOIN changed c ON c.oid = d.refobjid WHERE k.computed
        UNION
        SELECT k.indexrelid, 'index', NULL, c.oid
        FROM keys k JOIN pg_catalog.pg_depend d ON d.classid = 1259 AND d.objid = k.indexrelid AND d.refclassid = 1259
            AND d.refobjid = k.indrelid
             AND d.refobjsubid > 0
        JOIN pg_catalog.pg_index i ON i.indexrelid = k.indexrelid
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.indrelid AND a.attnum = d.refobjsubid
        JOIN changed c ON c.oid = a.attcollation
        WHERE k.computed AND NOT a.attnum = ANY (i.indkey::pg_catalog.int2[])
        UNION
        SELECT p.partrelid, 'partition', NULL, c.oid
        FROM pg_catalog.pg_partitioned_table p CROSS JOIN LATERAL pg_catalog.unnest(p.partcollation::pg_catalog.oid[]) k(coll)
        JOIN changed c ON c.oid = k.coll WHERE NOT (p.partstrat = 'h' AND c.collisdeterministic)
        UNION
        SELECT k.conrelid, 'check', k.conname::pg_catalog.text, c.oid
        FROM pg_catalog.pg_constraint k JOIN changed c ON k.conbin::pg_catalog.text LIKE '%:inputcollid ' || c.oid || ' %'
        WHERE k.contype = 'c' AND k.conrelid >= 16384
          AND (k.conbin::pg_catalog.text ~ ':funcid (870|871|872) '
               OR EXISTS (SELECT FROM ordered o WHERE k.conbin::pg_catalog.text LIKE '%:opno ' || o.amopopr || ' %'))
        UNION
        SELECT r.ev_class, 'materialized view', NULL, c.oid
        FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind = 'm'
        JOIN pg_catalog.pg_depend d ON d.classid = 2618 AND d.objid = r.oid AND d.refclassid = 1259 AND d.refobjsubid > 0
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        JOIN changed c ON c.oid = a.attcollation
        """;
}
