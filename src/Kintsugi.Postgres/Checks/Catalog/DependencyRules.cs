namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>
/// Dependencies that creating an object always records: without them DROP takes away what others still need, and leaves them broken. Objects of
/// initdb have none of their own (dependency.c, pg_depend.c).
/// </summary>
internal static class DependencyRules
{
    public static IReadOnlyList<CatalogRule> All { get; } =
    [
        new("depend-index", "pg_depend", "a dependency of the index on its table or its constraint", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'pg_depend has none'
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_class t ON t.oid = i.indrelid AND t.relkind <> 't'
            WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = c.oid
                AND ((d.refclassid = 1259 AND d.refobjid = i.indrelid) OR d.refclassid = 2606))
            """),
        new("depend-constraint-index", "pg_depend", "a dependency of the index on the constraint that it serves", """
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'pg_depend has none'
            FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conindid
            WHERE k.contype IN ('p', 'u', 'x') AND c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259
                AND d.objid = k.conindid AND d.refclassid = 2606 AND d.refobjid = k.oid)
            """),
        new("depend-constraint", "pg_depend", "a dependency of the constraint on its table", """
            SELECT k.conrelid, k.conname::text, k.ctid::text, 'pg_depend has none'
            FROM pg_catalog.pg_constraint k
            WHERE k.conrelid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 2606 AND d.objid = k.oid
                AND d.refclassid = 1259 AND d.refobjid = k.conrelid)
            """),
        new("depend-toast", "pg_depend", "a dependency of the TOAST table on its table", """
            SELECT c.oid, t.relname::text, t.ctid::text, 'pg_depend has none'
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
            WHERE t.oid >= 16384 AND c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = t.oid
                AND d.refclassid = 1259 AND d.refobjid = c.oid AND d.deptype = 'i')
            """),
        new("depend-view", "pg_depend", "a dependency of the view on each relation that it reads", """
            WITH reads AS MATERIALIZED (SELECT DISTINCT r.oid, r.ev_class, r.ctid::text AS place, m.m[1]::pg_catalog.oid AS relid
                FROM pg_catalog.pg_rewrite r CROSS JOIN LATERAL pg_catalog.regexp_matches(r.ev_action::pg_catalog.text, ':rtekind 0 :relid ([0-9]+) ', 'g') m(m)
                WHERE r.ev_type = '1' AND r.ev_class >= 16384)
            SELECT r.ev_class, c.relname::text, r.place, 'pg_depend has none on ' || t.relname, 'pg_depend of ' || r.oid
            FROM reads r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
            JOIN pg_catalog.pg_class t ON t.oid = r.relid
            WHERE r.relid >= 16384 AND r.relid <> r.ev_class AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.classid = 2618 AND d.objid = r.oid AND d.refclassid = 1259 AND d.refobjid = r.relid)
            """),
        new("depend-owner", "pg_shdepend", "a dependency of the relation on its owner", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'pg_shdepend has none on role ' || c.relowner
            FROM pg_catalog.pg_class c
            WHERE c.oid >= 16384 AND c.relowner >= 16384 AND c.relkind IN ('r', 'v', 'm', 'S', 'p', 'f') AND NOT EXISTS (SELECT FROM pg_catalog.pg_shdepend d
                WHERE d.dbid = (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = pg_catalog.current_database()) AND d.classid = 1259
                  AND d.objid = c.oid AND d.refclassid = 1260 AND d.refobjid = c.relowner AND d.deptype = 'o')
            """),
    ];
}
