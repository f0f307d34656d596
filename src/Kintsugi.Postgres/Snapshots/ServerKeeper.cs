using System.Globalization;
using System.Text.Json;
using Kintsugi.Postgres.Files;

namespace Kintsugi.Postgres.Snapshots;

/// <summary>Cluster managers that start a server again by themselves, or fail over from one that was stopped (RULES.md 5).</summary>
internal static class ServerKeeper
{
    private const string PatroniFile = "patroni.dynamic.json", Patroni = "Patroni", CloudNative = "CloudNativePG";

    private static readonly (string File, string Name)[] Signs =
    [
        (PatroniFile, Patroni), ("postgresql.base.conf", Patroni), ("postgresql-auto-failover.conf", "pg_auto_failover"), ("custom.conf", CloudNative),
    ];

    private static readonly Dictionary<string, string> Programs = new()
    {
        ["patroni"] = Patroni, ["pg_autoctl"] = "pg_auto_failover", ["repmgrd"] = "repmgr", ["stolon-keeper"] = "Stolon",
    };

    /// <returns>Its name, or null when none is known to manage that cluster.</returns>
    public static string? Of(string directory, Capabilities server) =>
        Signs.FirstOrDefault(sign => File.Exists(Path.Combine(directory, sign.File))).Name
        ?? (server.Settings.GetValueOrDefault("shared_preload_libraries")?.Contains("repmgr", StringComparison.Ordinal) == true ? "repmgr" : null);

    /// <summary>
    /// Who may start a server on these files at any moment: a manager whose process runs here as root or as the owner of the files, and CloudNativePG, whose
    /// manager lives in another container. Patroni keeps its pause in a file of the data directory.
    /// </summary>
    /// <param name="directory">The data directory.</param>
    /// <param name="processes">Where the kernel tells of its processes: /proc.</param>
    /// <returns>Its name and, where it can be told, its process; null when there is none, or it is paused.</returns>
    public static string? AtWork(string directory, string processes)
    {
        var keeper = File.Exists(Path.Combine(directory, "custom.conf")) ? CloudNative : Processes(processes, FileOwner.Of(directory)).FirstOrDefault();
        return keeper?.StartsWith(Patroni, StringComparison.Ordinal) == true && IsPaused(Path.Combine(directory, PatroniFile)) ? null : keeper;
    }

    private static IEnumerable<string> Processes(string all, int? owner)
    {
        if (!Directory.Exists(all))
            yield break;
        foreach (var folder in Directory.EnumerateDirectories(all))
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && FileOwner.OfProcess(folder) is { } process && (process.Uid == 0 || process.Uid == owner)
                && Words(folder).Take(3).Select(Path.GetFileName).FirstOrDefault(word => word is not null && Programs.ContainsKey(word)) is { } program)
                yield return $"{Programs[program]} (process {pid})";
    }

    /// <summary>The command line; a script's name stands behind that of its interpreter.</summary>
    private static string[] Words(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "cmdline")).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static bool IsPaused(string file)
    {
        try
        {
            using var settings = JsonDocument.Parse(File.ReadAllText(file));
            return settings.RootElement.TryGetProperty("pause", out var pause) && pause.ValueKind == JsonValueKind.True;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or JsonException)
        {
            return false;
        }
    }
}
