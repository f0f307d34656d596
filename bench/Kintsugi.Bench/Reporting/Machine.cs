using System.Runtime.InteropServices;
using Kintsugi.Lab;

namespace Kintsugi.Bench.Reporting;

/// <summary>Where it was measured: no figure means anything without it.</summary>
internal static class Machine
{
    public static string Describe(PostgresBinaries binaries, bool quick)
    {
        var model = Line("/proc/cpuinfo", "model name");
        var memory = long.Parse(Line("/proc/meminfo", "MemTotal").Split(' ')[0]) >> 20;
        var load = File.ReadAllText("/proc/loadavg").Split(' ')[0];
        return $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}, {(quick ? "quick" : "full")} sizes: {model}, {Environment.ProcessorCount} processors, {memory} GiB, "
            + $"{RuntimeInformation.OSDescription}, .NET {Environment.Version}, PostgreSQL {binaries.Major}; load at the end {load}.";
    }

    private static string Line(string file, string name) =>
        File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(':', 2)[1].Trim();
}
