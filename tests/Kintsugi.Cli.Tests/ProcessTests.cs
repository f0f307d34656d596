using System.Globalization;
using System.Net;
using System.Net.Sockets;
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

    /// <summary>A check can wait; a heal holds locks, and who waits for them would wait with it.</summary>
    [Theory, InlineData("check", 10), InlineData("heal", 0)]
    public async Task A_check_stands_back_for_others_on_the_machine_and_a_heal_does_not(string command, int steps)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "priorities are lowered on Linux alone");
        using var terminal = new Terminal();
        // A server that takes the connection and says nothing: the program is at work when its priority is read.
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var port = ((IPEndPoint)mute.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        using var process = Executable.Start(terminal, command, "-h", "127.0.0.1", "-p", port, "-U", "nobody", "-d", "none");
        try
        {
            using var connection = await mute.AcceptTcpClientAsync(Stop);
            var expected = Math.Min(19, Niceness($"/proc/{Environment.ProcessId}") + steps);
            Assert.Equal(expected, Niceness($"/proc/{process.Id}"));
            // The threads that it began since, too; the runtime's own were there before.
            var threads = Directory.EnumerateDirectories($"/proc/{process.Id}/task").Select(Niceness).ToList();
            Assert.True(threads.Count(nice => nice == expected) >= 2, string.Join(' ', threads));
        }
        finally
        {
            process.Kill();
            await Executable.End(process, Stop);
        }
    }

    /// <summary>The nineteenth field of a process or thread (proc(5), /proc/pid/stat); the second one is in brackets, and may hold blanks.</summary>
    private static int Niceness(string folder)
    {
        var stat = File.ReadAllText(Path.Combine(folder, "stat"));
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture);
    }
}
