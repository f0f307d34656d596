namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>pg_type, pg_range and pg_enum (src/backend/catalog/pg_type.c).</summary>
internal static class TypeRules
{
    public static IReadOnlyList<CatalogRule> All { get; } =
    [
        new("type-kind", "pg_type", "a known kind, a base type under a domain, a relation behind a composite type", """
            SELECT 0::oid, t.typname::text, t.ctid::text, 'typtype is ' || t.typtype::text || ', typbasetype ' || t.typbasetype
                || ', typrelid ' || t.typrelid
            FROM pg_catalog.pg_type t
            WHERE t.typtype NOT IN ('b', 'c', 'd', 'e', 'p', 'r', 'm') OR (t.typtype = 'd' AND t.typbasetype = 0)
                OR (t.typtype = 'c' AND t.typrelid = 0)
            """),
        new("type-row-relation", "pg_type", "a relation whose reltype leads back to the composite type", """
            SELECT t.typrelid, t.typname::text, t.ctid::text, c.relname || ' has reltype ' || c.reltype
            FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid = t.typrelid WHERE t.typtype = 'c'
                AND c.reltype <> t.oid
            """),
        new("type-array", "pg_type", "an array type whose element is the type", """
            SELECT 0::oid, t.typname::text, t.ctid::text, a.typname || ' has typelem ' || a.typelem
            FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type a ON a.oid = t.typarray WHERE a.typelem <> t.oid
            """),
        new("type-range", "pg_range", "a row in pg_range for each range type", """
            SELECT 0::oid, t.typname::text, t.ctid::text, 'there is none'
            FROM pg_catalog.pg_type t WHERE t.typtype = 'r' AND NOT EXISTS (SELECT FROM pg_catalog.pg_range r
                WHERE r.rngtypid = t.oid)
            """),
        new("type-multirange", "pg_range", "a row in pg_range for each multirange type", """
            SELECT 0::oid, t.typname::text, t.ctid::text, 'there is none'
            FROM pg_catalog.pg_type t WHERE t.typtype = 'm' AND NOT EXISTS (SELECT FROM pg_catalog.pg_range r
                WHERE r.rngmultitypid = t.oid)
            """) { Columns = ["pg_range.rngmultitypid"] },
        new("type-enum", "pg_enum", "an enum type behind each label", """
            SELECT 0::oid, e.enumlabel::text, e.ctid::text, t.typname || ' has typtype ' || t.typtype::text
            FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid WHERE t.typtype <> 'e'
            """),
        new("type-layout", "pg_type", "a length, alignment and storage that are possible", """
            SELECT 0::oid, t.typname::text, t.ctid::text, 'typlen is ' || t.typlen || ', typalign ' || t.typalign::text
                || ', typstorage ' || t.typstorage::text
                   || ', typbyval ' || t.typbyval
            FROM pg_catalog.pg_type t
            WHERE t.typlen < -2 OR t.typlen = 0 OR t.typalign NOT IN ('c', 's', 'i', 'd')
                OR t.typstorage NOT IN ('p', 'e', 'm', 'x')
               OR (t.typbyval AND t.typlen NOT IN (1, 2, 4, 8)) OR (t.typlen <> -1 AND t.typstorage <> 'p')
            """),
    ];
}
