using System.Buffers.Binary;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Indexes;

public sealed class HeapPagesTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Task<ScrubReport> Examine(TestDatabase database) =>
        Ward.Examine(database, new HeapPagesCheck(TimeProvider.System), Depth.Standard, Stop);

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task A_sound_database_is_sound_on_every_major(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("CREATE TABLE grown (a int, gone text, j jsonb); INSERT INTO grown SELECT i, 'x', '{\"a\": [1, null]}' FROM generate_series(1, 500) i; "
            + "ALTER TABLE grown DROP COLUMN gone, ADD COLUMN late numeric DEFAULT 1.5", Stop);
        await database.Execute("UPDATE grown SET a = a + 1 WHERE a % 3 = 0", Stop);
        await database.Execute("CHECKPOINT", Stop);

        var report = await Examine(database);

        Ward.AssertSound(report);
        Assert.Contains(report.Examinations, e => e is { Verdict: Verdict.Sound, Target.Object: "movies" });
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Tuples_that_contradict_themselves_or_the_commit_log_are_found_where_they_lie(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        var surgery = new Surgery(database);
        await database.Execute("CREATE TABLE undone (id int)", Stop);
        await database.Execute("BEGIN; INSERT INTO undone SELECT generate_series(1, 9); ROLLBACK", Stop);
        var film = await surgery.PlaceOf("movies", "id = 700", Stop);
        var episode = await surgery.PlaceOf("episodes", "id = 70", Stop);
        var user = await surgery.PlaceOf("users", "id = 70", Stop);
        await surgery.On("movies", Wound(film, tuple => BinaryPrimitives.WriteUInt32LittleEndian(tuple, BinaryPrimitives.ReadUInt32LittleEndian(tuple) + 5_000_000),
            unfreeze: true), Stop);
        await surgery.On("episodes", Wound(episode, tuple => tuple[22] = 99), Stop);
        await surgery.On("users", file => Surgery.LosePointer(file, user), Stop);
        await surgery.On("undone", Wound(new Tid(0, 3), tuple => BinaryPrimitives.WriteUInt16LittleEndian(tuple[20..],
            (ushort)((BinaryPrimitives.ReadUInt16LittleEndian(tuple[20..]) & ~0x200) | 0x100))), Stop);
        await surgery.Operate(Stop);

        var report = await Examine(database);

        Assert.Equal([("heap-corrupt", "episodes"), ("heap-corrupt", "movies"), ("heap-corrupt", "undone"), ("heap-corrupt", "users")],
            report.Findings.Select(f => (f.Fault.Id, f.Target.Object!)).Distinct().OrderBy(place => place.Item2, StringComparer.Ordinal));
        Assert.Contains(report.Findings, f => f.Target.Object == "undone" && f.Target.Offset == 3);
        Assert.Contains(report.Findings, f => f.Target.Object == "episodes" && f.Target.Block == episode.Block && f.Target.Offset == episode.Item);
        Assert.Equal(0, report.Count<Verdict.Unchecked>());
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_page_of_zeros_in_the_commit_log_is_found_with_and_without_a_server(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("VACUUM FREEZE", Stop);
        await database.Execute("CREATE TABLE hinted AS SELECT n FROM generate_series(1, 500) n; CREATE TABLE undecided (n int)", Stop);
        await database.Execute("INSERT INTO undecided VALUES (1)", Stop);
        await database.Execute("BEGIN; INSERT INTO undecided VALUES (2); PREPARE TRANSACTION 'open'", Stop);
        // Hints everywhere, frozen nowhere: the catalogs must be readable afterwards.
        await database.Execute("VACUUM", Stop);
        Assert.Equal(500, await database.Scalar<long>("SELECT count(*) FROM hinted", Stop));
        await database.Execute("CHECKPOINT", Stop);
        var xid = await database.Scalar<long>("SELECT xmin::text::bigint FROM hinted LIMIT 1", Stop);
        Assert.True(xid < 32768, "the fixture did not reach the state under test");
        await database.Cluster.Stop(Kintsugi.Lab.StopMode.Fast, Stop);
        Assert.Empty((await StorageWard.ExamineStopped(database, Stop, "heap-pages")).Findings);
        StorageWard.WritePage(Path.Combine(database.Cluster.DataDirectory, "pg_xact/0000"), 0, new byte[PageFormat.Size]);

        var stopped = await StorageWard.ExamineStopped(database, Stop, "heap-pages");
        await database.Cluster.Start(Stop);
        var running = await Examine(database);

        foreach (var report in new[] { stopped, running })
        {
            Assert.All(report.Findings, finding => Assert.Equal("transaction-status-missing", finding.Fault.Id));
            var found = Assert.Single(report.Findings, finding => finding.Target.Object == "hinted");
            Assert.Contains($"({xid})", found.Evidence, StringComparison.Ordinal);
            Assert.Contains("500 tuples", found.Evidence, StringComparison.Ordinal);
            Assert.Equal("pg_xact/0000", found.Facts["cause"]);
            // All that was frozen needs no log.
            Assert.DoesNotContain(report.Findings, finding => finding.Target.Object == "movies");
        }
    }

    [Fact]
    public async Task A_transaction_that_was_committed_after_a_clean_stop_is_known_to_the_server_alone_and_not_accused()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute("CREATE TABLE late (n int)", Stop);
        await database.Execute("BEGIN; INSERT INTO late SELECT generate_series(1, 5000); PREPARE TRANSACTION 'late'", Stop);
        await database.Cluster.Stop(Kintsugi.Lab.StopMode.Fast, Stop);
        await database.Cluster.Start(Stop);
        await database.Execute("COMMIT PREPARED 'late'", Stop);
        // The rows get their hints, and a table that is larger than shared buffers drives their pages to the disk, without a checkpoint.
        Assert.Equal(5000, await database.Scalar<long>("SELECT count(*) FROM late", Stop));
        await database.Execute("CREATE UNLOGGED TABLE big (v text); ALTER TABLE big ALTER v SET STORAGE PLAIN; "
            + "INSERT INTO big SELECT repeat('x', 7000) FROM generate_series(1, 4000); UPDATE big SET v = v || 'y'", Stop);
        var file = Path.Combine(database.Cluster.DataDirectory, (await database.Scalar<string>("SELECT pg_relation_filepath('late')", Stop))!);
        var page = StorageWard.ReadPage(file, 0);
        var line = LinePointer.Read(page, 1);
        var head = HeapTupleHeader.Read(page.AsSpan(line.Offset, line.Length));
        var log = await File.ReadAllBytesAsync(Path.Combine(database.Cluster.DataDirectory, "pg_xact/0000"), Stop);
        Assert.True(head.XminCommitted && Kintsugi.Pages.Files.CommitLog.Read(log, head.Xmin) == XidOutcome.InProgress,
            "the fixture did not reach the state under test");

        Assert.Empty((await Examine(database)).Findings);
    }

    private delegate void Change(Span<byte> tuple);

    private static Action<string> Wound(Tid tid, Change change, bool unfreeze = false) => file => StorageWard.Alter(file, tid.Block, seal: true, page =>
    {
        var line = LinePointer.Read(page, tid.Item);
        var tuple = page.AsSpan(line.Offset, line.Length);
        if (unfreeze)
            BinaryPrimitives.WriteUInt16LittleEndian(tuple[20..], (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(tuple[20..]) & ~0x200));
        Assert.True(HeapTupleHeader.Read(tuple).AttributeCount > 0, "the fixture did not reach the state under test");
        change(tuple);
    });
}
