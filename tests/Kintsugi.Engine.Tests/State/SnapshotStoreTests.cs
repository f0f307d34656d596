using Kintsugi.State;
using Microsoft.Extensions.Time.Testing;
using Xunit;
using static Kintsugi.Engine.Tests.State.StateFolder;

namespace Kintsugi.Engine.Tests.State;

public sealed class SnapshotStoreTests : IDisposable
{
    private readonly StateFolder folder = new();
    private readonly FakeTimeProvider clock = new(Noon);
    private readonly SnapshotStore store;

    public SnapshotStoreTests() => store = new SnapshotStore(folder.State.Snapshots, new SnapshotStoreSettings(), clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_snapshot_holds_the_bytes_exactly_and_appears_only_when_it_is_whole()
    {
        var bytes = Noise(3_000_001);
        var source = Write("source", bytes);
        string id;
        await using (var draft = await store.Begin(About("case-a"), bytes.Length, Token))
        {
            id = draft.Id;
            Assert.True(await draft.Copy(source, "data/base/5/16384", null, Token));
            Assert.False(await draft.Copy(source + ".gone", "data/base/5/16384.1", null, Token));
            await draft.Write("data/base/5/16384_vm", Pieces(bytes), null, Token);
            draft.AddDirectory("data/pg_notify");
            Assert.Empty(store.List());
            await draft.Complete(manifest => manifest with { EndLsn = "0/2" }, Token);
        }

        var manifest = Assert.Single(store.List());

        Assert.Equal((id, true, "0/2", 2L * bytes.Length, Noon),
            (manifest.Id, manifest.Complete, manifest.EndLsn, manifest.Bytes, manifest.Created));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(store.PlaceOf(id), "data/base/5/16384"), Token));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(store.PlaceOf(id), "data/base/5/16384_vm"), Token));
        Assert.Equal("public.movies", Assert.Single(store.Show(id).Objects).Name);
        Assert.Empty(await store.Verify(id, Token));
        Assert.All(Directory.GetFiles(store.PlaceOf(id), "*", SearchOption.AllDirectories),
            file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public async Task What_is_given_up_half_way_leaves_nothing()
    {
        var source = Write("source", Noise(100));
        await using (var draft = await store.Begin(About("case-a"), 100, Token))
            Assert.True(await draft.Copy(source, "data/one", null, Token));

        Assert.Empty(Directory.GetFileSystemEntries(store.Directory));
    }

    [Theory]
    [InlineData("changed", "data/one was changed")]
    [InlineData("shortened", "data/one has 99 bytes, 100 were taken")]
    [InlineData("missing", "data/one is missing")]
    [InlineData("extra", "data/two does not belong")]
    [InlineData("manifest", "manifest.json is not what was written")]
    public async Task Verify_tells_what_is_not_as_it_was_taken(string how, string told)
    {
        var id = await Take("case-a");
        var file = Path.Combine(store.PlaceOf(id), "data/one");
        switch (how)
        {
            case "changed":
                Flip(file, 50);
                break;
            case "shortened":
                await File.WriteAllBytesAsync(file, (await File.ReadAllBytesAsync(file, Token))[..99], Token);
                break;
            case "missing":
                File.Delete(file);
                break;
            case "extra":
                File.WriteAllText(Path.Combine(store.PlaceOf(id), "data/two"), "");
                break;
            default:
                Flip(Path.Combine(store.PlaceOf(id), "manifest.json"), 20);
                break;
        }

        Assert.Contains(told, Assert.Single(await store.Verify(id, Token)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_room_nothing_is_begun_and_the_sizes_are_told()
    {
        var full = new SnapshotStore(folder.State.Snapshots, new SnapshotStoreSettings(), clock, _ => 1L << 30);

        var problem = await Assert.ThrowsAsync<HealingException>(() => full.Begin(About("case-a"), 1L << 30, Token).AsTask());

        Assert.False(problem.MayPass);
        Assert.Contains("(1.0 GB to copy", problem.Message);
        Assert.Contains("1.0 GB is free", problem.Message);
        Assert.Empty(full.Ids());
    }

    [Fact]
    public void A_copy_that_an_open_case_names_stays_although_it_was_taken_for_another()
    {
        var old = About("case-a") with { Id = "shared", Created = clock.GetUtcNow().AddDays(-90) };
        CaseRow Row(string id, string state, string? snapshot) =>
            new(id, "1", null, "", "", "", state, null, 0, snapshot, clock.GetUtcNow(), clock.GetUtcNow());
        var kept = new SnapshotsKept { Age = TimeSpan.FromDays(30) };

        var open = Assert.Single(SnapshotPruning.Choose([old], kept, [Row("case-a", "healed", "shared"), Row("case-b", "escalated", "shared")], clock.GetUtcNow()));
        var closed = Assert.Single(SnapshotPruning.Choose([old], kept, [Row("case-a", "healed", "shared"), Row("case-b", "healed", "shared")], clock.GetUtcNow()));

        Assert.False(open.Goes);
        Assert.Contains("case-b is escalated", open.Reason, StringComparison.Ordinal);
        Assert.True(closed.Goes);
    }

    [Fact]
    public async Task Snapshots_are_not_kept_inside_a_cluster()
    {
        File.WriteAllText(Path.Combine(folder.Path, "PG_VERSION"), "18");

        var problem = await Assert.ThrowsAsync<HealingException>(() => store.Begin(About("case-a"), 1, Token).AsTask());

        Assert.Contains("lies in the data directory", problem.Message);
        Assert.False(Directory.Exists(store.Directory));
    }

    [Fact]
    public async Task A_name_that_leads_out_of_the_snapshot_is_refused()
    {
        await using var draft = await store.Begin(About(null), 0, Token);

        await Assert.ThrowsAsync<StateException>(() => draft.Write("../outside", Pieces([1]), null, Token).AsTask());

        Assert.False(File.Exists(Path.Combine(store.Directory, "outside")));
    }

    [Fact]
    public async Task Layouts_are_exact_and_never_go_over_other_files_or_into_a_cluster()
    {
        var id = await Take("case-a");
        var restore = new SnapshotRestore(store);
        var target = Path.Combine(folder.Path, "out");
        var cluster = Directory.CreateDirectory(Path.Combine(folder.Path, "cluster")).FullName;
        File.WriteAllText(Path.Combine(cluster, "PG_VERSION"), "18");

        await restore.LayOut(id, target, Token);

        Assert.Equal(Noise(100), await File.ReadAllBytesAsync(Path.Combine(target, "data/one"), Token));
        Assert.Contains("not empty", (await Assert.ThrowsAsync<StateException>(() => restore.LayOut(id, target,
            Token).AsTask())).Message);
        Assert.Contains("never laid over a cluster",
            (await Assert.ThrowsAsync<StateException>(() => restore.LayOut(id, Path.Combine(cluster, "base"),
                Token).AsTask())).Message);
        Assert.Equal(["PG_VERSION"], Directory.GetFileSystemEntries(cluster).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_snapshot_that_was_changed_is_not_laid_out()
    {
        var id = await Take("case-a");
        Flip(Path.Combine(store.PlaceOf(id), "data/one"), 3);

        var problem = await Assert.ThrowsAsync<StateException>(
            () => new SnapshotRestore(store).LayOut(id, Path.Combine(folder.Path, "out"), Token).AsTask());

        Assert.Contains("is not whole", problem.Message);
    }

    [Fact]
    public async Task Pruning_takes_the_oldest_and_never_what_an_open_case_may_need()
    {
        var open = await Take("open");
        clock.Advance(TimeSpan.FromDays(1));
        var healed = await Take("healed");
        clock.Advance(TimeSpan.FromDays(1));
        var newest = await Take("healed");

        var chosen = SnapshotPruning.Choose(store.List(), new SnapshotsKept { Last = 1 },
            [Row("open", "escalated"), Row("healed", "healed")],
            clock.GetUtcNow());
        SnapshotPruning.Remove(store, chosen, clock.GetUtcNow());

        Assert.Equal([(open, false), (healed, true), (newest, true)], chosen.Select(pruned => (pruned.Snapshot.Id, pruned.Goes)));
        Assert.Equal([open], store.Ids());
        Assert.Empty(await store.Verify(open, Token));
    }

    private static CaseRow Row(string id, string state) =>
        new(id, Server, "app", "public.movies", "heap-corrupt", "", state, null, 0, null, Noon, Noon);

    private static SnapshotManifest About(string? id) => new()
    {
        Case = id,
        Why = "an index lost its order",
        Grade = SnapshotGrade.Relation,
        Server = Server,
        Objects = [new("public.movies", "table", "base/5/16384", null)],
    };

    private async Task<string> Take(string caseId)
    {
        await using var draft = await store.Begin(About(caseId), 100, Token);
        await draft.Write("data/one", Pieces(Noise(100)), null, Token);
        await draft.Complete(manifest => manifest, Token);
        return draft.Id;
    }

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(folder.Path, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static void Flip(string path, int at)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[at] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Pieces(byte[] bytes)
    {
        await Task.Yield();
        foreach (var piece in bytes.Chunk(1 << 20))
            yield return piece;
    }
}
