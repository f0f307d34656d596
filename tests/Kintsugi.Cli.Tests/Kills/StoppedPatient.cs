using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests.Kills;

/// <summary>A cluster that loses files while it is down, again and again, and which has to be whole after each next run.</summary>
internal sealed class StoppedPatient(TestDatabase database, IReadOnlyList<string> lost, Fingerprint before) : IAsyncDisposable
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static bool All { get; } = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1";

    private string Data => database.Cluster.DataDirectory;
    private string[] Heal => ["heal", "-D", Data, "--yes", "--depth", "quick", "--verbose"];

    public static async Task<StoppedPatient> Admit(Servers servers, int major, IReadOnlyList<string> lost, CancellationToken stop)
    {
        var database = await servers.Cluster(major, stop);
        await database.Execute("VACUUM", stop);
        await database.Execute("UPDATE movies SET minutes = minutes + 1", stop);
        await database.Execute("BEGIN; DELETE FROM movies WHERE id NOT IN (SELECT movie_id FROM movie_genres); UPDATE genres SET slug = slug || '!'; ROLLBACK", stop);
        return new StoppedPatient(database, lost, await database.Fingerprint(stop));
    }

    /// <summary>The numbers of the lines that a run says that nobody disturbs, once a person has approved.</summary>
    public async Task<IReadOnlyList<string>> Lines()
    {
        using var terminal = NewTerminal();
        await Injure();
        await Approve(terminal);
        var healed = await Run(terminal, Heal);
        await AssertWhole(terminal, healed.All);
        TestContext.Current.TestOutputHelper?.WriteLine(healed.Error);
        return LockedPatient.Numbers(healed.Error.TrimEnd('\n').Split('\n').Length);
    }

    /// <summary>Injures, lets the interruption happen, runs and approves until nothing is asked any more, and proves that all is well.</summary>
    public async Task Interrupt(Func<Terminal, string[], Task> interrupted)
    {
        using var terminal = NewTerminal();
        await Injure();
        await interrupted(terminal, Heal);
        var said = "";
        for (var time = 0; time < 3; time++)
        {
            var run = await Run(terminal, Heal);
            said += run.All;
            if (run.Code is ExitCodes.Sound or ExitCodes.Unchecked)
                break;
            await ApproveWaiting(terminal, said);
        }
        await AssertWhole(terminal, said);
    }

    /// <summary>Lets it be tried on a copy, and says yes to what is planned.</summary>
    public async Task Approve(Terminal terminal)
    {
        var waiting = await Run(terminal, Heal);
        await ApproveWaiting(terminal, waiting.All);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private static Terminal NewTerminal()
    {
        var terminal = new Terminal();
        terminal.Variables["TMPDIR"] = Directory.CreateDirectory(terminal.PathOf("tmp"), (UnixFileMode)0b111_101_101).FullName;
        // The account of the scratch server passes through.
        File.SetUnixFileMode(terminal.Home, (UnixFileMode)0b111_001_001);
        return terminal;
    }

    private static Task<Said> Run(Terminal terminal, string[] arguments) => Executable.Run(terminal, Stop, arguments);

    private static async Task ApproveWaiting(Terminal terminal, string said)
    {
        foreach (var row in (await terminal.Run("cases", "--format", "json")).Json.GetProperty("cases").EnumerateArray())
            if (row.GetProperty("state").GetString() is "waiting")
                Assert.True((await terminal.Run("cases", "approve", row.GetProperty("id").GetString()!)).Code == ExitCodes.Sound, said);
    }

    private async Task Injure()
    {
        if (database.Cluster.IsRunning)
            await database.Cluster.Stop(StopMode.Fast, Stop);
        foreach (var file in lost.Select(name => Path.Combine(Data, name)))
            if (Directory.Exists(file))
                Directory.Delete(file, recursive: true);
            else
                File.Delete(file);
        Assert.NotNull(await database.Cluster.TryStart(Stop));
    }

    private async Task AssertWhole(Terminal terminal, string said)
    {
        Assert.All((await terminal.Run("cases", "--format", "json")).Json.GetProperty("cases").EnumerateArray(),
            row => Assert.True(row.GetProperty("state").GetString() == "healed", $"{row}\n{said}"));
        Assert.Empty(Directory.EnumerateFiles(Data, "*.kintsugi-new", SearchOption.AllDirectories));
        // The other process is a run of tests, and leaves what such a one does.
        Assert.Equal([], Directory.EnumerateDirectories(terminal.Variables["TMPDIR"]).Where(path => !Path.GetFileName(path).StartsWith("kintsugi-lab-", StringComparison.Ordinal)));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(Path.Combine(terminal.State, "snapshots")), path => Path.GetFileName(path).StartsWith('.'));
        await database.Cluster.Start(Stop);
        var difference = before.CompareWith(await database.Fingerprint(Stop));
        Assert.True(difference.IsEmpty, $"{difference}\n{said}");
    }
}
