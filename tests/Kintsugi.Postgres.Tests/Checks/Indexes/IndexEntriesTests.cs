using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Indexes;

public sealed class IndexEntriesTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Task<ScrubReport> Examine(TestDatabase database) =>
        Ward.Examine(database, new IndexEntriesCheck(TimeProvider.System), Depth.Standard, Stop);

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task A_sound_database_is_sound_on_every_major(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("CHECKPOINT", Stop);

        var report = await Examine(database);

        Ward.AssertSound(report);
        Assert.Contains(report.Examinations, e => e is { Verdict: Verdict.Sound, Target.Object: "movies" });
        Assert.True(report.Count<Verdict.Sound>() > 60);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_table_that_lost_rows_is_accused_and_its_indexes_are_not(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        var surgery = new Surgery(database);
        var row = await surgery.PlaceOf("movies", "id = 700", Stop);
        await surgery.On("movies", file => Surgery.LosePointer(file, row), Stop);
        await surgery.On("episodes", file => Surgery.Truncate(file, 2), Stop);
        await surgery.On("watch_history_2025h1", file => Surgery.Zero(file, 3), Stop);
        var toast = await database.Scalar<string>("SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'media_files'", Stop);
        var chunk = await surgery.PlaceOf(toast!, "chunk_seq = 1", Stop);
        await surgery.On(toast!, file => Surgery.LosePointer(file, chunk), Stop);
        await surgery.Operate(Stop);
        Assert.Equal(0, await database.Scalar<long>("SELECT count(*) FROM movies WHERE id + 0 = 700 AND title <> ''", Stop));

        var report = await Examine(database);

        Assert.Equal([("file-truncated", "episodes"), ("heap-corrupt", "movies"), ("toast-corrupt", toast!.Split('.')[1]),
            ("heap-corrupt", "watch_history_2025h1")],
            report.Findings.Select(f => (f.Fault.Id, f.Target.Object!)).OrderBy(place => place.Item2, StringComparer.Ordinal));
        var lost = report.Findings.Single(f => f.Target.Object == "movies");
        Assert.Equal((row.Block, row.Item), ((uint)lost.Target.Block!.Value, lost.Target.Offset!.Value));
        Assert.Contains("movies_pkey", lost.Evidence, StringComparison.Ordinal);
        Assert.Contains("its bytes still lie on the page", lost.Evidence, StringComparison.Ordinal);
        Assert.Equal(0, report.Count<Verdict.Unchecked>());
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task An_index_that_disagrees_alone_is_accused_and_its_table_is_not(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        var surgery = new Surgery(database);
        var row = await surgery.PlaceOf("movies", "id = 700", Stop);
        var other = await surgery.PlaceOf("movies", "id = 900", Stop);
        var file = await surgery.PlaceOf("media_files", "id = 70", Stop);
        var screening = await surgery.PlaceOf("screenings", "id = 70", Stop);
        var user = await surgery.PlaceOf("users", "id = 70", Stop);
        await surgery.On("movies_pkey", path =>
        {
            var (block, entry) = Surgery.Find(path, IndexKind.Btree, row);
            StorageWard.Alter(path, block, seal: true, page => Surgery.Double(page, entry.Item, other));
        }, Stop);
        await surgery.On("users_handle_key", path => Surgery.Remove(path, IndexKind.Btree, user), Stop);
        await surgery.On("screenings_no_overlap", path => Surgery.Remove(path, IndexKind.Gist, screening), Stop);
        await surgery.On("media_files_path_spgist", path => Surgery.Redirect(path, IndexKind.SpGist, file, new Tid(0, 250)), Stop);
        await surgery.On("media_files_digest_hash", path => Surgery.Zero(path, Surgery.Find(path, IndexKind.Hash, file).Page), Stop);
        await surgery.On("episodes_season_idx", path => Surgery.Truncate(path, (int)Surgery.Blocks(path) / 2), Stop);
        await surgery.On("movies_details_gin", path => Surgery.Zero(path, GinLeaf(path)), Stop);
        await surgery.Operate(Stop);

        var report = await Examine(database);

        Assert.Equal(["episodes_season_idx", "media_files_digest_hash", "media_files_path_spgist", "movies_details_gin", "movies_pkey",
            "screenings_no_overlap", "users_handle_key"],
            report.Findings.Select(f => f.Target.Object!).Distinct().Order(StringComparer.Ordinal));
        Assert.All(report.Findings, f => Assert.Equal("index-corrupt", f.Fault.Id));
        Assert.All(report.Findings, f => Assert.NotEmpty(f.Facts["access_method"]));
        Assert.Equal(0, report.Count<Verdict.Unchecked>());
    }

    private static long GinLeaf(string path)
    {
        for (var block = 1L; block < Surgery.Blocks(path); block++)
            if (GinPage.Read(StorageWard.ReadPage(path, block)) is { IsLeaf: true, IsData: false })
                return block;
        throw new InvalidOperationException("no leaf");
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_sound_database_that_is_written_to_is_never_accused(int major)
    {
        await using var database = await servers.Cluster(major, new Kintsugi.Lab.ClusterOptions
        {
            // Small buffers: pages reach the disk one by one, and in any order.
            Settings = new Dictionary<string, string> { ["shared_buffers"] = "1MB", ["max_wal_size"] = "8MB" },
        }, Stop);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task[] load =
        [
            .. Enumerable.Range(0, 3).Select(i => Write(database, Load(i), enough.Token)),
            Write(database, ["VACUUM movies", "VACUUM media_files", "VACUUM screenings", "CHECKPOINT", "VACUUM episodes"], enough.Token),
        ];
        var reports = new List<ScrubReport>();
        for (var i = 0; i < 3; i++)
        {
            reports.Add(await Examine(database));
            reports.Add(await Ward.Examine(database, new HeapPagesCheck(TimeProvider.System), Depth.Standard, Stop));
        }
        await enough.CancelAsync();
        await Task.WhenAll(load);

        Assert.Equal([], reports.SelectMany(report => report.Findings).Select(f => $"{f.Target.Name}: {f.Evidence}"));
        Assert.All(reports, report => Assert.NotEqual(0, report.Count<Verdict.Sound>()));
        await database.Execute("CHECKPOINT", Stop);
        Ward.AssertSound(await Examine(database));
    }

    private static string[] Load(int seed) =>
    [
        $"UPDATE movies SET tags = tags || 'x{seed}'::text, minutes = minutes % 900 + 1 WHERE id % 20 = {seed}",
        $"INSERT INTO movies (title, shelf_title, catalogue_number, tags) SELECT 't', 't', 50000000 + 1000000 * {seed} + i, ARRAY['a', 'b' || i] "
            + "FROM generate_series(1 + (SELECT count(*) FROM movies WHERE catalogue_number >= 50000000), 60 + (SELECT count(*) FROM movies "
            + "WHERE catalogue_number >= 50000000)) i ON CONFLICT DO NOTHING",
        $"UPDATE media_files SET digest = md5(digest), path = path || '/{seed}' WHERE id % 7 = {seed} AND length(path) < 300",
        $"DELETE FROM movies WHERE catalogue_number >= 50000000 AND id % 3 = {seed}",
        $"DELETE FROM episodes WHERE id % 50 = {seed}",
        $"UPDATE screenings SET during = tstzrange(lower(during) + interval '100 years', upper(during) + interval '100 years') WHERE id % 9 = {seed} "
            + "AND upper(during) < '3000-01-01'",
    ];

    private static async Task Write(TestDatabase database, string[] statements, CancellationToken enough)
    {
        await using var connection = await database.Cluster.Connect(database.Name, CancellationToken.None);
        for (var i = 0; !enough.IsCancellationRequested; i++)
        {
            await using var command = new Npgsql.NpgsqlCommand(statements[i % statements.Length], connection);
            try
            {
                await command.ExecuteNonQueryAsync(CancellationToken.None);
            }
            catch (Npgsql.PostgresException lost) when (lost.SqlState is "40P01" or "23P01" or "55P03")
            {
                // Writers meet each other: the next statement goes on.
            }
        }
    }
}
