using System.Text.RegularExpressions;
using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Checksums;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Storage;

public sealed partial class ClusterChecksumsTests(Servers servers)
{
    /// <summary>Of this major the packages bring pg_checksums.</summary>
    private const int WithTool = 15;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Random_flips_are_found_exactly_where_pg_checksums_finds_them()
    {
        await using var database = await servers.Cluster(WithTool, Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var data = database.Cluster.DataDirectory;
        var random = new Random(20261123);
        var files = ChecksumFiles.List(DataDirectory.Open(data), null).Where(file => file.Blocks > 0).ToList();
        var flipped = new HashSet<(string, long)>();
        while (flipped.Count < 200)
        {
            var file = files[random.Next(files.Count)];
            var block = random.NextInt64(file.Blocks);
            var page = StorageWard.ReadPage(Path.Combine(data, file.Path), block);
            if (PageHeader.Read(page).IsNew || !flipped.Add((file.Path, block)))
                continue;
            // Anywhere but pd_upper: a page that reads as new is skipped by both.
            var at = random.Next(PageFormat.Size - 2);
            page[at is >= 14 and < 16 ? at + 2 : at] ^= (byte)(1 << random.Next(8));
            StorageWard.WritePage(Path.Combine(data, file.Path), block, page);
        }

        var report = await new ClusterChecksums(DataDirectory.Open(data), TimeProvider.System)
            .Verify(new ChecksumSettings { Jobs = 2 }, Stop);
        var theirs = await ExternalCommand.Run(
            [Path.Combine(database.Cluster.Binaries.Directory, "pg_checksums"), "-c", "-D", data], Stop);

        Assert.Equal(flipped.Order(), report.Bad.Select(page => (page.Path, page.Block)).Order());
        Assert.Equal(Complaint().Matches(theirs.Output).Select(match =>
            (match.Groups[1].Value, long.Parse(match.Groups[2].Value))).Order(),
            report.Bad.Select(page => (page.Path, page.Block)).Order());
        Assert.Equal(report.Blocks, long.Parse(Scanned().Match(theirs.Output).Groups[1].Value));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Switched_on_after_being_killed_half_way_and_off_again_the_server_runs_and_every_page_verifies(int major)
    {
        await using var database = await servers.Cluster(major, new ClusterOptions { Checksums = false }, Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var data = database.Cluster.DataDirectory;
        Assert.Equal(0u, DataDirectory.Open(data).Control!.ChecksumVersion);

        using var half = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var killed = new ChecksumSettings { Progress = new CancelAfter(100, half) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            new ClusterChecksums(DataDirectory.Open(data), TimeProvider.System).Enable(killed, half.Token).AsTask());
        Assert.Equal(0u, DataDirectory.Open(data).Control!.ChecksumVersion);
        var all = ChecksumFiles.List(DataDirectory.Open(data), null).Count;
        var report = await new ClusterChecksums(DataDirectory.Open(data), TimeProvider.System).Enable(new ChecksumSettings(),
            Stop);

        Assert.InRange(report.Files, 1, all - 1);
        Assert.Empty(Directory.GetFiles(database.Cluster.Home, "*.kintsugi-checksums"));
        Assert.True((await new ClusterChecksums(DataDirectory.Open(data), TimeProvider.System).Verify(new ChecksumSettings(),
            Stop)).IsClean);
        await database.Cluster.Start(Stop);
        Assert.Equal("on", await database.Scalar<string>("SHOW data_checksums", Stop));
        Assert.True(await database.Scalar<long>("SELECT pg_catalog.count(*) FROM public.movies", Stop) > 1000);
        await Assert.ThrowsAsync<DataDirectoryException>(async () => await Task.Run(
            () => new ClusterChecksums(DataDirectory.Open(data), TimeProvider.System).Disable(), Stop));
        await database.Cluster.Stop(StopMode.Fast, Stop);
        new ClusterChecksums(DataDirectory.Open(data), TimeProvider.System).Disable();
        await database.Cluster.Start(Stop);
        Assert.Equal("off", await database.Scalar<string>("SHOW data_checksums", Stop));
    }

    [Fact]
    public async Task A_cluster_that_runs_or_crashed_is_not_switched()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, new ClusterOptions { Checksums = false }, Stop);
        var data = database.Cluster.DataDirectory;
        Assert.Contains("stop it first", await Refusal(data), StringComparison.Ordinal);
        await database.Cluster.Kill(Stop);
        Assert.Contains("not shut down cleanly", await Refusal(data), StringComparison.Ordinal);
    }

    private static async Task<string> Refusal(string data) => (await Assert.ThrowsAsync<DataDirectoryException>(() =>
        new ClusterChecksums(DataDirectory.Open(data), TimeProvider.System).Enable(new ChecksumSettings(),
            Stop).AsTask())).Message;

    private sealed class CancelAfter(int reports, CancellationTokenSource source) : IProgress<ChecksumProgress>
    {
        private int left = reports;

        public void Report(ChecksumProgress value)
        {
            if (--left == 0)
                source.Cancel();
        }
    }

    [GeneratedRegex("checksum verification failed in file \".*/((?:base|global|pg_tblspc)/[^\"]*)\", block (\\d+)")]
    private static partial Regex Complaint();

    [GeneratedRegex(@"Blocks scanned:\s+(\d+)")]
    private static partial Regex Scanned();
}
