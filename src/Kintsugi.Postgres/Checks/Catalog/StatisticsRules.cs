namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>The planner's numbers: not dangerous to data, but queries that took seconds take days. ANALYZE derives them
/// anew.</summary>
internal static class StatisticsRules
{
    public static IReadOnlyList<CatalogRule> All { get; } =
    [
        new("reltuples", "pg_class", "a possible number of rows", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'reltuples is ' || c.reltuples || ' and relpages ' || c.relpages
            FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
            WHERE c.reltuples < -1 OR c.reltuples IN ('NaN', 'Infinity') OR c.relallvisible < -1
               OR (c.relkind IN ('r', 't', 'm') AND a.amname = 'heap' AND c.relpages > 0
                   AND c.reltuples > c.relpages::float8 * pg_catalog.current_setting('block_size')::int4 / 28)
            """) { Fault = Faults.StatisticsCorrupt },
        new("relpages", "pg_class", "a number of pages that is near what the file has", """
            SELECT c.oid, c.relname::text, c.ctid::text, 'relpages is ' || c.relpages || ' and the file has ' || s.pages
            FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
            CROSS JOIN LATERAL (SELECT pg_catalog.pg_relation_size(c.oid, 'main') / 8192 AS pages OFFSET 0) s
            WHERE c.relkind IN ('r', 't', 'm', 'i') AND (a.amname = 'heap' OR c.relkind = 'i') AND (c.relpages > 1000000
                OR c.relpages < 0)
              AND s.pages > 0 AND (c.relpages > s.pages * 1000 OR (c.relpages < 0 AND s.pages < 2147483647))
            """) { Fault = Faults.StatisticsCorrupt },
        new("pg_statistic", "pg_statistic", "fractions between 0 and 1, widths and numbers that are possible", """
            SELECT s.starelid, a.attname::text, s.ctid::text,
                'stanullfrac is ' || s.stanullfrac || ', stawidth ' || s.stawidth || ', stadistinct '
                   || s.stadistinct
            FROM pg_catalog.pg_statistic s JOIN pg_catalog.pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum
            WHERE NOT (s.stanullfrac BETWEEN 0 AND 1) OR s.stawidth < 0 OR s.stadistinct < -1
                OR s.stadistinct IN ('NaN', 'Infinity')
            """) { Fault = Faults.StatisticsCorrupt, ThingIsColumn = true },
    ];
}
