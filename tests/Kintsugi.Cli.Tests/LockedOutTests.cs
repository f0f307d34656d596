using Kintsugi.Cli.Runtime;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>A server that runs and lets nobody in is still a patient: its lock file leads to its files.</summary>
public sealed class LockedOutTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_that_nobody_can_enter_is_examined_by_its_files()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var oid = await database.Scalar<uint>("SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()", Stop);
        var file = Path.Combine(database.Cluster.DataDirectory, "base", $"{oid}", "PG_VERSION");
        File.Move(file, $"{file}.away");

        var said = await terminal.Run(["check", .. Terminal.Door(database), "-d", database.Name, "--depth", "quick", "--format", "json"]);

        Assert.True(said.Code == ExitCodes.Damage, said.All);
        var finding = Assert.Single(said.Json.GetProperty("findings").EnumerateArray());
        Assert.Equal("cluster-file-corrupt", finding.GetProperty("fault").GetString());
        Assert.Equal(database.Name, finding.GetProperty("database").GetString());
        Assert.Contains("PG_VERSION", finding.GetProperty("object").GetString(), StringComparison.Ordinal);
        Assert.Contains("were examined instead", said.Error, StringComparison.Ordinal);

        File.Move($"{file}.away", file);
        var after = await terminal.Run(["check", .. Terminal.Door(database), "-d", database.Name, "--depth", "quick"]);
        Assert.True(after.Code == ExitCodes.Sound, after.All);
    }

    [Fact]
    public async Task A_refusal_that_the_files_do_not_explain_is_a_finding_itself()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        // Every page is whole, and no name of a catalog is known any more.
        await database.Execute("SET allow_system_table_mods = on; DELETE FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog'", Stop);

        var said = await terminal.Run(["check", .. Terminal.Door(database), "-d", database.Name, "--depth", "quick", "--format", "json"]);

        Assert.True(said.Code == ExitCodes.Damage, said.All);
        Assert.Equal("catalog-inconsistent", Assert.Single(said.Json.GetProperty("findings").EnumerateArray()).GetProperty("fault").GetString());
    }

    [Theory]
    [InlineData("XX001", true), InlineData("XX000", true), InlineData("58P01", true), InlineData("3F000", true), InlineData("42P01", true)]
    [InlineData("57P01", false), InlineData("57P02", false), InlineData("57P03", false), InlineData("57P05", false), InlineData("53200", false)]
    [InlineData("40P01", false), InlineData("3D000", false), InlineData("22023", false), InlineData("53100", false)]
    public void A_session_that_was_ended_or_found_no_room_accuses_nobody(string state, bool evidence) =>
        Assert.Equal(evidence, LockedOut.IsEvidence(state));

    [Fact]
    public async Task A_running_server_is_found_by_its_data_directory_alone()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);

        var said = await terminal.Run("check", "-D", database.Cluster.DataDirectory, "-U", "postgres", "--depth", "quick", "--only", "index-state");

        Assert.True(said.Code == ExitCodes.Sound, said.All);
        Assert.Contains($".s.PGSQL.{database.Cluster.Port}", said.Out, StringComparison.Ordinal);
    }
}
