namespace Kintsugi.Postgres.Checks.Server;

/// <summary>A defect of PostgreSQL that damages objects of some kind, as its release notes tell it.</summary>
/// <param name="Id">Stable: the version that mended it and a word.</param>
/// <param name="MendedIn">The first minor of each affected major (server_version_num) without it.</param>
/// <param name="Victims">SQL for the OIDs of relations here that it can have damaged; none is no victim.</param>
internal sealed record KnownBug(string Id, IReadOnlyList<int> MendedIn, string What, string Action, string Victims)
{
    /// <summary>The running server still has it. What an older minor has damaged before an upgrade cannot be told from
    /// here.</summary>
    public bool Hits(int version) => MendedIn.Any(mended => mended / 10000 == version / 10000 && version < mended);

    public string MendedFor(int version)
    {
        var mended = MendedIn.First(number => number / 10000 == version / 10000);
        return $"{mended / 10000}.{mended % 10000}";
    }
}

/// <summary>The list, from the release notes of 13 to 18 ("Migration to Version …" and the entries that ask for
/// REINDEX).</summary>
internal static class KnownBugs
{
    private const string Indexes = "SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid >= 16384 AND i.indisvalid";

    public static IReadOnlyList<KnownBug> All { get; } =
    [
        new("14.4-concurrent-build", [140004], "CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY can leave out rows that are "
            + "updated meanwhile",
            "upgrade, then REINDEX every index that was built concurrently, or prove each with kintsugi check -c btree", Indexes),
        new("14.2-toast-reindex", [130006, 140002], "REINDEX CONCURRENTLY of a TOAST index can corrupt it",
            "upgrade, then REINDEX the TOAST tables",
            "SELECT t.oid FROM pg_catalog.pg_class t WHERE t.relkind = 't' AND t.oid >= 16384 AND t.relpages > 0"),
        new("14.1-prepared-build", [130005, 140001], "CREATE INDEX CONCURRENTLY can miss rows of prepared transactions and of "
            + "sessions that begin meanwhile",
            "upgrade, then REINDEX indexes that were built concurrently", Indexes),
        new("14.3-ltree-gist", [130007, 140003], "GiST indexes on ltree with their own signature length are built wrongly",
            "upgrade, then REINDEX them",
            OfClass("gist", "gist%ltree%")),
        new("15.3-defer-cleanup", [140008, 150003], "vacuum_defer_cleanup_age above 0 can remove rows that are still needed",
            "set it to 0, upgrade, then kintsugi check --depth deep", """
            SELECT c.oid FROM pg_catalog.pg_class c
            WHERE c.oid = 1259 AND coalesce(pg_catalog.current_setting('vacuum_defer_cleanup_age', true)::pg_catalog.int8, 0) > 0
            """),
        new("16.1-interval-btree", [130013, 140010, 150005, 160001], "btree indexes on interval deduplicate values that only "
            + "look alike", "upgrade, then REINDEX them",
            OfClass("btree", "interval\\_ops")),
        new("16.1-brin-minmax-multi", [140010, 150005, 160001], "BRIN minmax_multi on dates, timestamps and intervals "
            + "miscomputes distances near infinity",
            "upgrade, then REINDEX them", OfClass("brin", "%minmax\\_multi%")),
        new("16.2-gin-split", [130014, 140011, 150006, 160002], "GIN indexes can be corrupted when an interrupted page split "
            + "is finished", "upgrade, then REINDEX them",
            "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am a ON a.oid = c.relam WHERE a.amname = 'gin' AND "
                + "c.relkind = 'i'"),
        new("17.1-ctype-c", [170001], "LC_CTYPE C with another LC_COLLATE sorts text wrongly", "upgrade, then REINDEX indexes on text", """
            SELECT i.indexrelid FROM pg_catalog.pg_index i, pg_catalog.pg_database d
            WHERE d.datname = pg_catalog.current_database() AND d.datctype IN ('C', 'POSIX')
                AND d.datcollate NOT IN ('C', 'POSIX')
              AND i.indrelid >= 16384 AND 100 = ANY (i.indcollation::pg_catalog.oid[])
            """),
        new("17.1-detached-partition", [130017, 140014, 150009, 160005, 170001],
            "DETACH PARTITION leaves foreign keys of the former partition without their triggers",
            "upgrade, then drop and create again the foreign keys of tables that were partitions: kintsugi check -c enforcement tells which", """
            SELECT DISTINCT k.conrelid FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.confrelid
            WHERE k.contype = 'f' AND (c.relkind = 'p' OR k.conparentid <> 0)
            """),
        new("17.1-inplace-update", [130017, 140014, 150009, 160005, 170001],
            "an update of pg_class or pg_database in place can be lost: a new index is not maintained, a horizon goes back",
            "upgrade; kintsugi check -c catalog looks for both", "SELECT c.oid FROM pg_catalog.pg_class c WHERE c.oid = 1259"),
        new("17.3-truncation", [130019, 140016, 150011, 160007, 170003],
            "a failed truncation at the end of VACUUM can bring deleted rows back",
            "upgrade; kintsugi check -c heap,uniqueness", "SELECT c.oid FROM pg_catalog.pg_class c WHERE c.oid = 1259"),
        new("17.5-self-reference", [130021, 140018, 150013, 160009, 170005],
            "foreign keys of a partitioned table to itself may not be enforced after DETACH and ATTACH",
            "upgrade, then create such constraints again", """
            SELECT k.conrelid FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
            WHERE k.contype = 'f' AND k.conrelid = k.confrelid AND c.relkind = 'p'
            """),
        new("17.5-brin-bloom", [140018, 150013, 160009, 170005], "BRIN bloom indexes can be built too small to find their rows",
            "upgrade, then REINDEX them",
            OfClass("brin", "%\\_bloom\\_ops")),
        new("17.6-brin-numeric", [140019, 150014, 160010, 170006], "BRIN numeric_minmax_multi miscomputes distances and can "
            + "miss rows", "upgrade, then REINDEX them",
            OfClass("brin", "numeric\\_minmax\\_multi%")),
        new("18.2-ltree", [180002], "indexes on ltree depend on a locale that is applied wrongly unless it is libc's with one "
            + "byte a character", "upgrade, then REINDEX them",
            OfClass("%", "%ltree%")),
    ];

    private static string OfClass(string method, string name) => $"""
        SELECT DISTINCT i.indexrelid FROM pg_catalog.pg_index i CROSS
            JOIN LATERAL pg_catalog.unnest(i.indclass::pg_catalog.oid[]) k
        JOIN pg_catalog.pg_opclass o ON o.oid = k JOIN pg_catalog.pg_am a ON a.oid = o.opcmethod
        WHERE i.indrelid >= 16384 AND a.amname LIKE '{method}' AND o.opcname LIKE '{name}'
        """;
}
