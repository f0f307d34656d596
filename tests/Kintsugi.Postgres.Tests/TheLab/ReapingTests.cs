using Kintsugi.Lab;

namespace Kintsugi.Postgres.Tests.TheLab;

public sealed class ReapingTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_next_laboratory_stops_and_removes_what_a_dead_process_left()
    {
        await using var orphaned = await Laboratory.Open(Stop);
        var binaries = await PostgresBinaries.Find(PostgresBinaries.NewestMajor, null, Stop);
        var cluster = await orphaned.Create(binaries, new ClusterOptions(), Stop);
        var postmaster = cluster.Postmaster!.Value;
        // Process 1 never started at tick 0: this reads as the laboratory of a process that is gone.
        await File.WriteAllTextAsync(Path.Combine(orphaned.Root, "owner"), "1 0", Stop);

        await using var next = await Laboratory.Open(Stop);

        Assert.False(Directory.Exists(orphaned.Root));
        Assert.False(Directory.Exists($"/proc/{postmaster}"));
    }

    [Fact]
    public async Task A_living_process_keeps_its_laboratory()
    {
        await using var first = await Laboratory.Open(Stop);
        await using var second = await Laboratory.Open(Stop);
        Assert.True(Directory.Exists(first.Root));
    }
}
