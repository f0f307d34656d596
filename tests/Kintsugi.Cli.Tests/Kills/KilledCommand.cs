using System.Diagnostics;
using System.Globalization;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests.Kills;

/// <summary>Not a test: the other process of the tests of kills, a command that kills itself at the line that it was told.</summary>
public sealed class KilledCommand
{
    /// <summary>What a process ends with that SIGKILL ended.</summary>
    internal const int Killed = 137;

    private const string Arguments = "KINTSUGI_TEST_ARGUMENTS", Home = "KINTSUGI_TEST_HOME", At = "KINTSUGI_TEST_KILL_AT";

    [Fact(Explicit = true)]
    public async Task Run_until_killed()
    {
        using var terminal = new Terminal(OtherProcess.Told(Home));
        var (at, number) = (OtherProcess.Told(At), 0);
        terminal.Heard = line =>
        {
            if ((++number).ToString(CultureInfo.InvariantCulture) == at || line.TrimStart().StartsWith(at, StringComparison.Ordinal))
                Process.GetCurrentProcess().Kill();
        };
        await terminal.Run(OtherProcess.Told(Arguments).Split('\n'));
    }

    /// <param name="line">The line after which it dies, by its number from 1 or by its first word; 0 for one that is killed from outside.</param>
    internal static Process Start(Terminal terminal, string line, params string[] arguments)
    {
        var told = new Dictionary<string, string?> { [Arguments] = string.Join('\n', arguments), [Home] = terminal.Home, [At] = line };
        if (terminal.Variables.TryGetValue("TMPDIR", out var temporary))
            told["TMPDIR"] = temporary;
        return OtherProcess.Start(typeof(KilledCommand), nameof(Run_until_killed), told);
    }
}
