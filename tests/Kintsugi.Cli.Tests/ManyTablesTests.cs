using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

public sealed class ManyTablesTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Five_hundred_sound_tables_are_all_examined_and_nothing_is_written()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Cluster.Execute("postgres", "CREATE DATABASE many", Stop);
        await database.Cluster.Execute("many", "CREATE EXTENSION amcheck; CREATE EXTENSION pg_visibility", Stop);
        await database.Cluster.Execute("many", """
            DO $$ BEGIN FOR n IN 1..500 LOOP
              EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, body text)', n);
              EXECUTE format('INSERT INTO t%s SELECT g, repeat(g::text, 10) FROM generate_series(1, 20) g', n);
            END LOOP; END $$
            """, Stop);
        // Hint bits are the first reader's work on any page: let them be done before it is measured.
        await database.Cluster.Execute("many", "VACUUM (FREEZE, ANALYZE)", Stop);
        await database.Cluster.Execute("many", "CHECKPOINT", Stop);
        await terminal.Run(["check", .. Terminal.Door(database), "many", "--only", "catalog", "--only", "heap", "--only", "uniqueness"]);
        var before = await State(database);

        var said = await terminal.Run(["check", .. Terminal.Door(database), "many", "--format", "json"]);

        Assert.True(said.Code == ExitCodes.Sound, said.All[..Math.Min(said.All.Length, 3000)]);
        var btrees = said.Json.GetProperty("examined").EnumerateArray()
            .Where(item => item.GetProperty("check").GetString() == "btree" && item.GetProperty("verdict").GetString() == "sound")
            .Select(item => item.GetProperty("target").GetString()).ToHashSet();
        Assert.Equal([], Enumerable.Range(1, 500).Select(n => $"public.t{n}_pkey").Where(name => !btrees.Contains(name)));
        var after = await State(database);
        Assert.Equal(before.Counts, after.Counts);
        // What a hint bit on a catalog page may still cost: an image of it, once. Rows would also have taken transaction ids.
        Assert.InRange(after.Wal - before.Wal, 0, 64 * 8192);
    }

    /// <summary>What would be other if anything had been written: objects, files, rows, transaction ids; and the WAL.</summary>
    private static async Task<(string Counts, decimal Wal)> State(TestDatabase database)
    {
        var row = (await database.Cluster.Query("many", """
            SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc), (SELECT sum(relpages) FROM pg_class)::text,
                   pg_snapshot_xmax(pg_current_snapshot())::text, pg_database_size('many'),
                   (SELECT tup_inserted + tup_updated + tup_deleted FROM pg_stat_database WHERE datname = 'many'),
                   pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')
            """, Stop))[0];
        return (string.Join(" | ", row[..^1]), (decimal)row[^1]!);
    }
}
