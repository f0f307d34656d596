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
