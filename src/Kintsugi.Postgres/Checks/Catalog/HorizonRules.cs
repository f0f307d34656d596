namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>
/// Frozen horizons (pg_class.relfrozenxid and relminmxid, pg_database.datfrozenxid and datminmxid): commit status older than a
/// horizon is
/// thrown away, so that one which lies in the future, or behind the database's own, ends in rows that cannot be read.
/// </summary>
internal static class HorizonRules
{
    private const string Database =
        "(SELECT d.datfrozenxid, d.datminmxid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database() "
            + "LIMIT 1) d";

    public static IReadOnlyList<CatalogRule> All { get; } =
    [
        new("relfrozenxid", "pg_class", "a frozen horizon between the database's own and the next transaction id", $"""
            SELECT c.oid, c.relname::text, c.ctid::text, 'relfrozenxid is ' || c.relfrozenxid::text || ' (age '
                || pg_catalog.age(c.relfrozenxid)
                   || '), datfrozenxid is ' || d.datfrozenxid::text || ' (age ' || pg_catalog.age(d.datfrozenxid) || ')'
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am a ON a.oid = c.relam AND a.amname = 'heap' CROSS JOIN {Database}
            WHERE c.relkind IN ('r', 't', 'm') AND (c.relfrozenxid::text::int8 < 3 OR pg_catalog.age(c.relfrozenxid) < 0
               OR pg_catalog.age(c.relfrozenxid) > pg_catalog.age(d.datfrozenxid))
            """),
        new("relminmxid", "pg_class", "a multixact horizon between the database's own and the next multixact", $"""
            SELECT c.oid, c.relname::text, c.ctid::text, 'relminmxid is ' || c.relminmxid::text || ' (age '
                || pg_catalog.mxid_age(c.relminmxid)
                   || '), datminmxid is ' || d.datminmxid::text || ' (age ' || pg_catalog.mxid_age(d.datminmxid) || ')'
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am a ON a.oid = c.relam AND a.amname = 'heap' CROSS JOIN {Database}
            WHERE c.relkind IN ('r', 't', 'm') AND (c.relminmxid::text = '0' OR pg_catalog.mxid_age(c.relminmxid) < 0
               OR pg_catalog.mxid_age(c.relminmxid) > pg_catalog.mxid_age(d.datminmxid))
            """),
    ];
}

/// <summary>pg_database and pg_shdepend: one copy for the cluster.</summary>
internal static class SharedRules
{
    public static IReadOnlyList<CatalogRule> All { get; } =
    [
        new("datfrozenxid", "pg_database", "horizons that are not in the future", """
            SELECT 0::oid, d.datname::text, d.ctid::text, 'datfrozenxid is ' || d.datfrozenxid::text || ' (age '
                || pg_catalog.age(d.datfrozenxid)
                   || '), datminmxid is ' || d.datminmxid::text || ' (age ' || pg_catalog.mxid_age(d.datminmxid) || ')'
            FROM pg_catalog.pg_database d
            WHERE d.datfrozenxid::text::int8 < 3 OR pg_catalog.age(d.datfrozenxid) < 0 OR d.datminmxid::text = '0'
                OR pg_catalog.mxid_age(d.datminmxid) < 0
            """),
        new("database-encoding", "pg_database", "an encoding that the server knows", """
            SELECT 0::oid, d.datname::text, d.ctid::text, 'encoding is ' || d.encoding
            FROM pg_catalog.pg_database d WHERE pg_catalog.pg_encoding_to_char(d.encoding) = ''
            """),
    ];
}
