using Kintsugi.Lab;
using Kintsugi.Postgres.Checks.Maps;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks;

public sealed class VisibilityMapCheckTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, InlineData(13, true), InlineData(15, false), InlineData(18, true)]
    public async Task Finds_the_rows_that_an_old_map_calls_visible(int major, bool installed)
    {
        await using var database = await servers.Cluster(major, Stop);
        // Where it is not installed, its functions are borrowed for a transaction.
        await database.Execute("DROP EXTENSION IF EXISTS pg_visibility", Stop);
        if (installed)
            await database.Cluster.CreateExtensions(database.Name, Stop);
        await database.Execute("CREATE TABLE lied AS SELECT i FROM generate_series(1, 1000) i; CREATE TABLE beside AS SELECT i "
            + "FROM generate_series(1, 10) i", Stop);
        await database.Execute("VACUUM (FREEZE) lied", Stop);
        await database.Execute("VACUUM (FREEZE) beside", Stop);
        Ward.AssertSound(await Ward.Examine(database, new VisibilityMapCheck(TimeProvider.System), Depth.Standard, Stop));
        var map = Path.Combine(database.Cluster.DataDirectory, (await database.Scalar<string>("SELECT "
            + "pg_relation_filepath('lied')", Stop))! + "_vm");
        await database.Execute("CHECKPOINT", Stop);
        var old = await File.ReadAllBytesAsync(map, Stop);
        await database.Execute("DELETE FROM lied WHERE i <= 5", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        Assert.NotEqual(old, await File.ReadAllBytesAsync(map, Stop));
        await File.WriteAllBytesAsync(map, old, Stop);
        await database.Cluster.Start(Stop);

        var report = await Ward.Examine(database, new VisibilityMapCheck(TimeProvider.System), Depth.Standard, Stop);

        var finding = Assert.Single(report.Findings);
        Assert.Equal(("lied", 5L), (finding.Target.Object, finding.Rows));
        Assert.Contains("""{"ctid":"(0,5)"}""", finding.Samples);
    }

    [Fact]
    public async Task A_page_of_a_map_that_cannot_be_read_is_found_without_the_files()
    {
        await using var database = await servers.Cluster(15, Stop);
        await database.Cluster.CreateExtensions(database.Name, Stop);
        await database.Execute("VACUUM movies", Stop);
        var heap = Path.Combine(database.Cluster.DataDirectory, (await database.Scalar<string>("SELECT "
            + "pg_relation_filepath('movies')", Stop))!);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        foreach (var fork in new[] { "_vm", "_fsm" })
        {
            await using var file = File.OpenWrite(heap + fork);
            file.Seek(100, SeekOrigin.Begin);
            await file.WriteAsync(new byte[] { 0xA5, 0x5A, 0xA5, 0x5A }, Stop);
        }
        await database.Cluster.Start(Stop);

        var visibility = await Ward.Examine(database, new VisibilityMapCheck(TimeProvider.System), Depth.Standard, Stop,
            filesHidden: true);
        var space = await Ward.Examine(database, new FreeSpaceMapCheck(), Depth.Standard, Stop, filesHidden: true);

        Assert.Equal(("movies", "vm", 0L), (visibility.Findings[0].Target.Object, visibility.Findings[0].Target.Fork,
            visibility.Findings[0].Target.Block));
        Assert.All(space.Findings, finding => Assert.Equal(("movies", "fsm", Faults.FreeSpaceMapCorrupt), (finding.Target.Object,
            finding.Target.Fork, finding.Fault)));
        Assert.NotEmpty(space.Findings);
    }
}
