using System.Diagnostics;
using System.Globalization;

namespace Kintsugi.Cli.Tests.Fixtures;

/// <summary>The real program, as its user starts it.</summary>
internal static class Executable
{
    private static string Program => Path.Combine(AppContext.BaseDirectory, "kintsugi");

    public static Process Start(Terminal terminal, params string[] arguments)
    {
        var start = new ProcessStartInfo(Program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in terminal.Variables)
            start.Environment[name] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} did not start");
        process.StandardInput.Close();
        return process;
    }

    public static async Task<Said> Run(Terminal terminal, CancellationToken cancellationToken, params string[] arguments)
    {
        using var process = Start(terminal, arguments);
        return await End(process, cancellationToken);
    }

    public static async Task<Said> End(Process process, CancellationToken cancellationToken)
    {
        var result = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return new Said(process.ExitCode, await result, await error);
    }

    public static async Task Signal(Process process, string signal, CancellationToken cancellationToken)
    {
        using var kill = Process.Start("kill", ["-s", signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(cancellationToken);
        Assert.Equal(0, kill.ExitCode);
    }
}
