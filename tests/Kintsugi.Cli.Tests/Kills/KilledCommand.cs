using System.Diagnostics;
using System.Globalization;
using Kintsugi.Cli.Tests.Fixtures;

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
        using var terminal = new Terminal(Variable(Home));
        var (at, number) = (Variable(At), 0);
        terminal.Heard = line =>
        {
            if ((++number).ToString(CultureInfo.InvariantCulture) == at || line.TrimStart().StartsWith(at, StringComparison.Ordinal))
                Process.GetCurrentProcess().Kill();
        };
        await terminal.Run(Variable(Arguments).Split('\n'));
    }

    /// <param name="line">The line after which it dies, by its number from 1 or by its first word; 0 for one that is killed from outside.</param>
    internal static Process Start(Terminal terminal, string line, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            Environment =
            {
                [Arguments] = string.Join('\n', arguments),
                [Home] = terminal.Home,
                [At] = line,
            },
        };
        if (terminal.Variables.TryGetValue("TMPDIR", out var temporary))
            start.Environment["TMPDIR"] = temporary;
        foreach (var argument in new[] { "--explicit", "only", "--filter-method", $"{typeof(KilledCommand).FullName}.{nameof(Run_until_killed)}" })
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    private static string Variable(string name) => Environment.GetEnvironmentVariable(name)
        ?? throw new InvalidOperationException($"{name} is not set: this runs only as the other process of a test of kills");
}
