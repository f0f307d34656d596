using System.Diagnostics;
using System.Globalization;

namespace Kintsugi.Bench.Measuring;

/// <summary>
/// Runs a program and measures it. Processor time and the peak of memory come from /proc, read every few milliseconds while it runs:
/// what getrusage says of children would count our own memory as theirs (the kernel carries it over fork and exec).
/// </summary>
internal static class Meter
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Added to our own.</param>
    /// <param name="postmaster">The server whose processor time counts as well, or null.</param>
    /// <param name="cancellationToken">Kills it.</param>
    public static async Task<Run> Measure(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, int? postmaster, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
        };
        foreach (var argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var before = postmaster is { } server ? ServerTicks(server) : 0;
        var begun = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var watch = Watch(process, cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            var wall = Stopwatch.GetElapsedTime(begun);
            var (own, peak) = await watch;
            var text = await output + await errors;
            var ticks = own + (postmaster is { } still ? await SettledTicks(still, cancellationToken) - before : 0);
            return new Run(wall, TimeSpan.FromSeconds(ticks / 100.0), peak, process.ExitCode, text);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static async Task<(long Ticks, long PeakBytes)> Watch(Process process, CancellationToken cancellationToken)
    {
        var (ticks, peak) = (0L, 0L);
        while (!process.HasExited)
        {
            if (Fields($"/proc/{process.Id}/stat") is { } fields)
                ticks = Math.Max(ticks, Sum(fields, 11, 4));
            peak = Math.Max(peak, HighWater(process.Id));
            await Task.Delay(Interval, cancellationToken);
        }
        return (ticks, peak);
    }

    /// <summary>A backend's time is its postmaster's once it was reaped, a moment after its client is gone.</summary>
    private static async Task<long> SettledTicks(int postmaster, CancellationToken cancellationToken)
    {
        while (Directory.EnumerateDirectories("/proc").Any(path => IsBackend(path, postmaster)))
            await Task.Delay(Interval, cancellationToken);
        return ServerTicks(postmaster);
    }

    private static bool IsBackend(string path, int postmaster)
    {
        if (Fields(Path.Combine(path, "stat")) is not { } fields || fields[1] != postmaster.ToString(CultureInfo.InvariantCulture))
            return false;
        // A client's backend calls itself "postgres: user database address state", the others have one word or two; who is on the way out has no title.
        var title = ReadOrEmpty(Path.Combine(path, "cmdline")).Split('\0')[0];
        return title.Length == 0 || title.StartsWith("postgres: postgres ", StringComparison.Ordinal);
    }

    private static long ServerTicks(int postmaster) => Fields($"/proc/{postmaster}/stat") is { } fields ? Sum(fields, 13, 2) : 0;

    private static long Sum(string[] fields, int from, int count) =>
        fields.Skip(from).Take(count).Sum(field => long.Parse(field, CultureInfo.InvariantCulture));

    /// <summary>The fields of proc_pid_stat(5) from the third on: the second, the name, may hold anything.</summary>
    private static string[]? Fields(string path)
    {
        var text = ReadOrEmpty(path);
        return text.LastIndexOf(')') is > 0 and var end ? text[(end + 2)..].Split(' ') : null;
    }

    private static long HighWater(int pid)
    {
        foreach (var line in ReadOrEmpty($"/proc/{pid}/status").Split('\n'))
            if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
                return 1024 * long.Parse(line[6..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
        return 0;
    }

    /// <summary>A process that is gone has no file, or one that cannot be read any more.</summary>
    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
