using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>Snapshots of the whole cluster as the owner's file says they are taken, and what a killed run leaves.</summary>
public sealed class SnapshotProviderTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_server_is_stopped_copied_and_started_again_and_its_copy_starts_alone(int major)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        var (before, postmaster) = (await database.Fingerprint(Stop), database.Cluster.Postmaster);
        var file = terminal.NewFile("config.yaml", "snapshots: { provider: stop_copy_start }\n");

        var taken = await terminal.Run(["snapshots", "create", .. Terminal.Door(database), "-d", database.Name, "-c", file]);

        Assert.True(taken.Code == ExitCodes.Sound, taken.All);
        Assert.NotEqual(postmaster, database.Cluster.Postmaster);
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        Assert.False(File.Exists(Path.Combine(terminal.State, "stopped-server.json")));
        var id = taken.Out.Split(' ')[1].TrimEnd(':');
        Assert.Equal(ExitCodes.Sound, (await terminal.Run("snapshots", "verify", id)).Code);
        var started = await terminal.Run("snapshots", "verify", id, "--start", "--pg-bin", database.Cluster.Binaries.Directory, "--depth", "quick", "--format", "json");
        Assert.True(started.Code is ExitCodes.Sound or ExitCodes.Unchecked, started.All);
        Assert.Equal(0, started.Json.GetProperty("verdicts").GetProperty("damaged").GetInt32());
        Assert.True(started.Json.GetProperty("verdicts").GetProperty("sound").GetInt32() > 0, started.Out);
        Assert.Equal(ExitCodes.Sound, (await terminal.Run("snapshots", "verify", id)).Code);
    }

    [Fact]
    public async Task A_server_that_a_killed_run_has_stopped_is_started_by_the_next_one()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var (stopped, hold) = (terminal.PathOf("stopped"), terminal.NewFile("hold", ""));
        var control = terminal.NewFile("control", $"""
            if [ "$(id -u)" = 0 ]; then set -- setpriv "--reuid=$(stat -c %u "$1")" "--regid=$(stat -c %g "$1")" --clear-groups -- {database.Cluster.Binaries.PgCtl} -D "$@"
            else set -- {database.Cluster.Binaries.PgCtl} -D "$@"; fi
            exec "$@"
            """);
        var file = terminal.NewFile("config.yaml", $$"""
            snapshots:
              provider: stop_copy_start
              stop: 'sh {{control}} {directory} -m fast -w stop && touch {{stopped}} && while [ -e {{hold}} ]; do sleep 0.1; done'
              start: 'sh {{control}} {directory} -w -l {directory}/again.log start'
            """);

        using var killed = Executable.Start(terminal, ["snapshots", "create", .. Terminal.Door(database), "-d", database.Name, "-c", file]);
        while (!File.Exists(stopped) && !killed.HasExited)
            await Task.Delay(50, Stop);
        Assert.True(File.Exists(stopped), "the server was not stopped");
        await Executable.Signal(killed, "KILL", Stop);
        await killed.WaitForExitAsync(Stop);
        File.Delete(hold);
        Assert.False(database.Cluster.IsRunning);

        var next = await terminal.Run(["check", .. Terminal.Door(database), "-d", database.Name, "--depth", "quick", "--only", "index-state"]);

        Assert.True(next.Code == ExitCodes.Sound, next.All);
        Assert.Contains("was started again", next.Error, StringComparison.Ordinal);
        Assert.True(database.Cluster.IsRunning);
        Assert.False(File.Exists(Path.Combine(terminal.State, "stopped-server.json")));
        Assert.Empty((await terminal.Run("snapshots", "list", "--format", "json")).Json.GetProperty("snapshots").EnumerateArray());
    }

    [Fact]
    public async Task The_owners_command_is_believed_no_further_than_it_goes_and_its_failure_ends_the_snapshot()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var told = terminal.PathOf("told");
        string Config(string command) => terminal.NewFile("config.yaml", $"snapshots: {{ provider: command, command: '{command}' }}\n");
        string[] Create(string config) => ["snapshots", "create", .. Terminal.Door(database), "-d", database.Name, "-c", config];

        var taken = await terminal.Run(Create(Config($"echo {{id}} {{directory}} > {told}; echo done by storage")));

        Assert.True(taken.Code == ExitCodes.Sound, taken.All);
        Assert.Contains(database.Cluster.DataDirectory, await File.ReadAllTextAsync(told, Stop), StringComparison.Ordinal);
        var id = taken.Out.Split(' ')[1].TrimEnd(':');
        var verified = await terminal.Run("snapshots", "verify", id);
        Assert.True(verified.Code == ExitCodes.Unchecked, verified.All);
        Assert.Contains("taken by the owner's command", verified.Out, StringComparison.Ordinal);
        (await terminal.Run("snapshots", "verify", id, "--start")).MustRefuse("holds no cluster that could be started");
        (await terminal.Run(Create(Config("echo no such pool; exit 3")))).MustRefuse("ended with 3", "no such pool", "nothing is repaired");
        (await terminal.Run(Create(Config("snapshot {dataset}")))).MustRefuse("{dataset}", "{directory}");
        Assert.Single((await terminal.Run("snapshots", "list", "--format", "json")).Json.GetProperty("snapshots").EnumerateArray());
    }
}
