using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Storage;

/// <summary>Pages and ends of files that no checksum covers.</summary>
public sealed class LostPagesTests(Servers servers)
{
    private const string Filled = "CREATE TABLE known AS SELECT n, pg_catalog.repeat('x', 500) AS t FROM "
        + "pg_catalog.generate_series(1, 2000) n; "
        + "CREATE INDEX known_n ON known (n);";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_zeroed_page_is_found_where_the_visibility_map_knows_its_rows(bool running)
    {
        await using var database = await Known();
        var file = await StorageWard.FileOf(database, "known", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        StorageWard.WritePage(file, 5, new byte[PageFormat.Size]);

        Assert.Equal([("page-invalid", "known", "main", 5L)], (await Report(database, running)).Places());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_table_cut_at_a_block_is_found_by_its_visibility_map(bool running)
    {
        await using var database = await Known();
        var file = await StorageWard.FileOf(database, "known", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        Cut(file, 20);

        Assert.Equal([("file-truncated", "known", "main", null)], (await Report(database, running)).Places());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task An_index_cut_in_half_is_found_by_its_own_links(bool running)
    {
        await using var database = await Known();
        var file = await StorageWard.FileOf(database, "known_n", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        Cut(file, 4);

        Assert.Equal([("file-truncated", "known_n", "main", null)], (await Report(database, running)).Places());
    }

    [Fact]
    public async Task The_first_page_of_an_index_or_a_sequence_is_never_empty()
    {
        await using var database = await Known();
        var index = await StorageWard.FileOf(database, "known_n", Stop);
        var sequence = await StorageWard.FileOf(database, "movies_id_seq", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        StorageWard.WritePage(index, 0, new byte[PageFormat.Size]);
        StorageWard.WritePage(sequence, 0, new byte[PageFormat.Size]);

        Assert.Equal([("page-invalid", "known_n", "main", 0L), ("page-invalid", "movies_id_seq", "main", 0L)],
            (await Report(database, running: true)).Places().OrderBy(place => place.Object));
    }

    [Fact]
    public async Task Empty_pages_that_a_crash_leaves_behind_and_empty_pages_of_unknown_past_are_not_accused()
    {
        await using var database = await Known();
        await database.Execute("CREATE TABLE young AS SELECT n FROM pg_catalog.generate_series(1, 3000) n", Stop);
        var known = await StorageWard.FileOf(database, "known", Stop);
        var young = await StorageWard.FileOf(database, "young", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        using (var handle = File.OpenHandle(known, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            RandomAccess.Write(handle, new byte[16 * PageFormat.Size], RandomAccess.GetLength(handle));
        StorageWard.WritePage(young, 3, new byte[PageFormat.Size]);

        Assert.Empty((await Report(database, running: false)).Findings);
        await database.Cluster.Start(Stop);
        Assert.Empty((await Report(database, running: true)).Findings);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Nothing_is_accused_while_others_insert_delete_vacuum_truncate_rewrite_and_drop(int major)
    {
        await using var database = await servers.Cluster(major, new ClusterOptions
        {
            Settings = new Dictionary<string, string> { ["autovacuum_naptime"] = "1s", ["checkpoint_timeout"] = "30s" },
        }, Stop);
        await database.Execute(Filled, Stop);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var load = Task.WhenAll(
            Repeat(database, "INSERT INTO known SELECT n, 'y' FROM pg_catalog.generate_series(1, 3000) n", enough.Token),
            Repeat(database, "DELETE FROM known WHERE n % 2 = 1; ", enough.Token),
            Repeat(database, "VACUUM known", enough.Token),
            Repeat(database, "DROP TABLE IF EXISTS brief; CREATE TABLE brief AS SELECT n, n::text AS t FROM "
                + "pg_catalog.generate_series(1, 5000) n; "
                + "CREATE INDEX ON brief (n); TRUNCATE brief; REINDEX TABLE known", enough.Token),
            Repeat(database, "CHECKPOINT", enough.Token));

        var findings = new List<Finding>();
        for (var round = 0; round < 12; round++)
            findings.AddRange((await StorageWard.Examine(database, Stop)).Findings);
        await enough.CancelAsync();
        await load;

        Assert.Empty(findings);
    }

    private static async Task Repeat(TestDatabase database, string sql, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await database.Execute(sql, cancellationToken);
            }
            catch (Npgsql.PostgresException refused) when (refused.SqlState is "40P01" or "42P01")
            {
                // They get in each other's way; that is what they are for.
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task<TestDatabase> Known()
    {
        var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute(Filled, Stop);
        await database.Execute("VACUUM (FREEZE) known", Stop);
        Assert.True(await database.Scalar<long>("SELECT all_visible FROM pg_visibility_map_summary('known')", Stop) > 100);
        return database;
    }

    private static async Task<ScrubReport> Report(TestDatabase database, bool running)
    {
        if (!running)
            return await StorageWard.ExamineStopped(database, Stop, "pages");
        if (!database.Cluster.IsRunning)
            await database.Cluster.Start(Stop);
        return await StorageWard.Examine(database, Stop, only: "pages");
    }

    private static void Cut(string file, long blocks)
    {
        using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Assert.True(RandomAccess.GetLength(handle) > blocks * PageFormat.Size, "the fixture did not reach the state under test");
        RandomAccess.SetLength(handle, blocks * PageFormat.Size);
    }
}
