using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>The few things that only the real program shows.</summary>
public sealed class ProcessTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Help_and_version_go_to_stdout_with_exit_0()
    {
        using var terminal = new Terminal();
        foreach (var arguments in new string[][] { ["--help"], ["-?"], ["check", "--help"], ["--version"], ["-V"] })
        {
            var said = await Executable.Run(terminal, Stop, arguments);
            Assert.True(said.Code == ExitCodes.Sound && said.Out.Length > 0 && said.Error.Length == 0, $"{string.Join(' ', arguments)}: {said.All}");
        }
        var help = await Executable.Run(terminal, Stop, "check", "--help");
        Assert.Contains("-h, --host", help.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("/?", help.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_terminal_nothing_is_painted_and_nothing_is_drawn()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var said = await Executable.Run(terminal, Stop, ["check", .. Terminal.Door(database), database.Name, "--only", "btree"]);
        Assert.True(said.Code == ExitCodes.Sound, said.All);
        Assert.Empty(said.Error);
        Assert.DoesNotContain('\u001b', said.Out);
        Assert.DoesNotContain('\r', said.Out);
    }

    [Fact]
    public async Task The_environment_alone_is_enough_to_connect()
    {
        using var terminal = new Terminal();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var door = Terminal.Door(database);
        (terminal.Variables["PGHOST"], terminal.Variables["PGPORT"]) = (door[1], door[3]);
        (terminal.Variables["PGUSER"], terminal.Variables["PGDATABASE"]) = ("postgres", database.Name);
        var said = await Executable.Run(terminal, Stop, "check", "--only", "index-state", "--format", "json");
        Assert.True(said.Code == ExitCodes.Sound, said.All);
        Assert.Equal("kintsugi.check/1", said.Json.GetProperty("format").GetString());
    }
}
