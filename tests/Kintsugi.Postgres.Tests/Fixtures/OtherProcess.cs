using System.Diagnostics;

namespace Kintsugi.Postgres.Tests.Fixtures;

/// <summary>This test program once more, as another process that can be killed: it runs one explicit test, which is told by its environment what to do.</summary>
internal static class OtherProcess
{
    public static Process Start(Type tests, string method, IReadOnlyDictionary<string, string?> told)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (var (name, value) in told)
            start.Environment[name] = value;
        foreach (var argument in new[] { "--explicit", "only", "--filter-method", $"{tests.FullName}.{method}" })
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    /// <summary>What this process was told.</summary>
    public static string Told(string name) => Environment.GetEnvironmentVariable(name)
        ?? throw new InvalidOperationException($"{name} is not set: this runs only as the other process of a test of kills");
}
