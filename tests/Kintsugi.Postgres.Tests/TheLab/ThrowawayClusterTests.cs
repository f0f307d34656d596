using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.TheLab;

public sealed class ThrowawayClusterTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Starts_and_answers_on_every_major_with_checksums_and_extensions(int major)
    {
        var binaries = await PostgresBinaries.Find(major, null, Stop);
        await using var laboratory = await Laboratory.Open(Stop);
        await using var cluster = await laboratory.Create(binaries, new ClusterOptions(), Stop);

        Assert.Equal(major, await cluster.Scalar<int>(
            "postgres", "SELECT current_setting('server_version_num')::int / 10000", Stop));
        Assert.Equal("on", await cluster.Scalar<string>("postgres", "SHOW data_checksums", Stop));
        var extensions = await cluster.CreateExtensions("postgres", Stop);
        Assert.Superset(new HashSet<string> { "amcheck", "pageinspect", "pg_visibility" }, extensions.ToHashSet());
        Assert.Equal(major >= 14, extensions.Contains("pg_surgery"));
        Assert.True(File.Exists(Path.Combine(cluster.DataDirectory, ThrowawayCluster.Marker)));
    }

    [Fact]
    public async Task A_killed_server_recovers_what_was_committed()
    {
        await using var laboratory = await Laboratory.Open(Stop);
        await using var cluster = await laboratory.Create(await Newest(), new ClusterOptions(), Stop);
        await cluster.Execute("postgres", "CREATE TABLE kept AS SELECT 42 AS n", Stop);

        await cluster.Kill(Stop);
        Assert.False(cluster.IsRunning);
        await cluster.Start(Stop);

        Assert.Equal(42, await cluster.Scalar<int>("postgres", "SELECT n FROM kept", Stop));
    }

    [Fact]
    public async Task A_copy_of_a_stopped_cluster_lives_beside_the_original()
    {
        await using var laboratory = await Laboratory.Open(Stop);
        await using var original = await laboratory.Create(
            await Newest(), new ClusterOptions { Checksums = false }, Stop);
        await Assert.ThrowsAsync<LabException>(() => original.Copy(Stop));
        await original.Stop(StopMode.Fast, Stop);
        await using var copy = await original.Copy(Stop);
        await original.Start(Stop);
        await copy.Start(Stop);

        await copy.Execute("postgres", "CREATE TABLE only_here ()", Stop);
        Assert.Null(await original.Scalar<string>("postgres", "SELECT to_regclass('only_here')::text", Stop));
        Assert.Equal("off", await copy.Scalar<string>("postgres", "SHOW data_checksums", Stop));
    }

    [Fact]
    public async Task A_standby_follows_its_primary()
    {
        await using var laboratory = await Laboratory.Open(Stop);
        await using var primary = await laboratory.Create(await Newest(), new ClusterOptions(), Stop);
        await using var standby = await primary.CreateStandby(Stop);
        await primary.Execute("postgres", "SET synchronous_commit = on; CREATE TABLE followed ()", Stop);
        var position = await primary.Scalar<string>("postgres", "SELECT pg_current_wal_flush_lsn()::text", Stop);

        Assert.True(await standby.Scalar<bool>("postgres", "SELECT pg_is_in_recovery()", Stop));
        await standby.AwaitReplayOf(position!, Stop);
        Assert.Equal("followed", await standby.Scalar<string>("postgres", "SELECT to_regclass('followed')::text", Stop));
    }

    [Fact]
    public async Task Nothing_is_left_after_disposal()
    {
        string root;
        int postmaster;
        await using (var laboratory = await Laboratory.Open(Stop))
        {
            var cluster = await laboratory.Create(await Newest(), new ClusterOptions(), Stop);
            (root, postmaster) = (laboratory.Root, cluster.Postmaster!.Value);
        }

        Assert.False(Directory.Exists(root));
        Assert.False(Directory.Exists($"/proc/{postmaster}"));
    }

    private static Task<PostgresBinaries> Newest() => PostgresBinaries.Find(PostgresBinaries.NewestMajor, null, Stop);
}
