using System.Diagnostics;
using System.Globalization;

namespace Kintsugi.Lab;

/// <summary>The postmaster of a data directory, found by its postmaster.pid, and its children.</summary>
internal static class ServerProcess
{
    /// <summary>The pid of the server that runs on this directory, or null; a stale postmaster.pid counts as none.</summary>
    public static int? PostmasterOf(string dataDirectory)
    {
        var file = Path.Combine(dataDirectory, "postmaster.pid");
        if (!File.Exists(file))
            return null;
        var first = File.ReadLines(file).FirstOrDefault();
        // A recycled pid may belong to anybody: only a process that works in this very directory is its server.
        return int.TryParse(first, CultureInfo.InvariantCulture, out var pid)
            && WorkingDirectory(pid) == Path.GetFullPath(dataDirectory)
            ? pid
            : null;
    }

    /// <summary>SIGKILL to the postmaster and all of its children, as a power cut would; returns when all are gone.</summary>
    public static async Task KillAll(string dataDirectory, CancellationToken cancellationToken)
    {
        if (PostmasterOf(dataDirectory) is not { } postmaster)
            return;
        var family = new List<int> { postmaster };
        family.AddRange(ChildrenOf(postmaster));
        foreach (var pid in family)
            await Kill(pid, cancellationToken);
    }

    public static async Task Kill(int pid, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (ArgumentException)
        {
            // Gone already, which is what was wanted.
        }
        catch (InvalidOperationException)
        {
            // It ended between the look and the signal.
        }
    }

    /// <summary>The time a process started, in clock ticks since boot: with the pid it names a process for good.</summary>
    public static string? StartOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string? WorkingDirectory(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/cwd").LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static IEnumerable<int> ChildrenOf(int parent)
    {
        var path = $"/proc/{parent}/task/{parent}/children";
        return File.Exists(path)
            ? File.ReadAllText(path).Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(pid => int.Parse(pid, CultureInfo.InvariantCulture))
            : [];
    }
}
