using Kintsugi.Lab;
using Kintsugi.Postgres.Checks.Server;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks;

public sealed class ServerChecksTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Finds_unsafe_settings_wherever_they_are_set()
    {
        await using var database = await servers.Cluster(15, new ClusterOptions { Settings = new Dictionary<string,
            string> { ["fsync"] = "on" } }, Stop);
        // The lab itself runs without autovacuum.
        Assert.Equal(["autovacuum"], (await Ward.Examine(database, new SettingsCheck(), Depth.Quick, Stop)).Findings
            .Select(f => f.Facts.GetValueOrDefault("setting")).Distinct());
        await database.Execute("ALTER SYSTEM SET zero_damaged_pages = 'true'", Stop);
        await database.Execute("""CREATE ROLE "odd;role"; ALTER ROLE "odd;role" SET session_replication_role = replica; SELECT pg_reload_conf()""", Stop);

        var report = await Ward.Examine(database, new SettingsCheck(), Depth.Quick, Stop);

        Assert.Contains(report.Findings, f => f.Facts["setting"] == "zero_damaged_pages"
            && f.Facts["where"].Contains("postgresql.auto.conf", StringComparison.Ordinal));
        Assert.Contains(report.Findings, f => f.Facts["setting"] == "session_replication_role"
            && f.Facts["where"].Contains("odd;role", StringComparison.Ordinal));
        Assert.DoesNotContain(report.Findings, f => f.Facts["setting"] is "fsync" or "full_page_writes");
    }

    [Theory, InlineData(13), InlineData(18)]
    public async Task A_young_server_without_history_is_sound(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("BEGIN; CREATE TABLE held (); PREPARE TRANSACTION 'young'", Stop);

        Ward.AssertSound(await Ward.Examine(database, new WraparoundCheck(), Depth.Quick, Stop));
        Ward.AssertSound(await Ward.Examine(database, new ActivityCheck(), Depth.Quick, Stop));
        Ward.AssertSound(await Ward.Examine(database, new KnownBugCheck(), Depth.Quick, Stop));
    }

    [Fact]
    public async Task An_old_horizon_is_told_by_its_database()
    {
        await using var database = await servers.Cluster(15, Stop);
        Assert.Equal(1, await database.Injure("UPDATE pg_database SET datfrozenxid = ((txid_current() - 1900000000) & "
            + "4294967295)::text::xid WHERE datname = current_database()", Stop));

        var report = await Ward.Examine(database, new WraparoundCheck(), Depth.Quick, Stop);

        var finding = Assert.Single(report.Findings);
        Assert.Equal((Severity.Critical, $"database {database.Name} transaction ids"), (finding.Severity, finding.Target.Rule));
    }

    [Fact]
    public async Task Counts_checksum_failures_against_their_database_and_reads_the_log()
    {
        await using var database = await servers.Cluster(15, new ClusterOptions { Settings = new Dictionary<string,
            string> { ["logging_collector"] = "on" } }, Stop);
        await database.Execute("CREATE TABLE bad AS SELECT 1 AS one; CHECKPOINT", Stop);
        var path = Path.Combine(database.Cluster.DataDirectory, (await database.Scalar<string>("SELECT "
            + "pg_relation_filepath('bad')", Stop))!);
        Ward.AssertSound(await Ward.Examine(database, new ServerLogCheck(), Depth.Quick, Stop));
        await database.Cluster.Stop(StopMode.Fast, Stop);
        await using (var file = File.OpenWrite(path))
        {
            file.Seek(8000, SeekOrigin.Begin);
            await file.WriteAsync(new byte[] { 1, 2, 3 }, Stop);
        }
        await database.Cluster.Start(Stop);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.Execute("SET application_name = app; SELECT * FROM "
            + "bad", Stop));

        var logged = await Ward.Examine(database, new ServerLogCheck(), Depth.Quick, Stop);
        var counted = await Ward.Examine(database, new ActivityCheck(), Depth.Quick, Stop);

        Assert.Contains(logged.Findings, f => f.Evidence.Contains("invalid page in block 0", StringComparison.Ordinal));
        Assert.Contains(counted.Findings, f => f.Severity == Severity.Critical
            && f.Target.Rule == $"checksum_failures {database.Name}");
    }

    [Fact]
    public async Task Every_question_about_victims_of_known_bugs_can_be_asked()
    {
        await using var database = await servers.Database(18, Stop);
        await database.Execute("CREATE TABLE b (n numeric, i interval); CREATE INDEX ON b USING brin (n "
            + "numeric_minmax_multi_ops); CREATE INDEX ON b (i)", Stop);
        foreach (var bug in KnownBugs.All)
            await database.Query(bug.Victims, Stop);

        Assert.Equal("b_n_idx", await database.Scalar<string>($"SELECT min(v::regclass::text) FROM "
            + $"({Victims("17.6-brin-numeric")}) x(v)", Stop));
        Assert.Equal("b_i_idx", await database.Scalar<string>($"SELECT min(v::regclass::text) FROM "
            + $"({Victims("16.1-interval-btree")}) x(v)", Stop));
        Assert.True(KnownBugs.All.Single(bug => bug.Id == "14.4-concurrent-build").Hits(140003));
        Assert.DoesNotContain(KnownBugs.All, bug => bug.Hits(180004) || bug.Hits(150018));
    }

    private static string Victims(string id) => KnownBugs.All.Single(bug => bug.Id == id).Victims;
}
