using System.Globalization;
using Kintsugi.Postgres.Connecting;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>
/// Finds the data directory of a server on this machine that cannot be asked for it: the lock file beside its socket names the
/// postmaster and its data directory (src/include/miscadmin.h, LOCK_FILE_LINE_PID and LOCK_FILE_LINE_DATA_DIR).
/// </summary>
public static class RunningServers
{
    /// <summary>Where packages put the socket; a server that is reached by TCP has one there too.</summary>
    private static readonly string[] UsualPlaces = ["/var/run/postgresql", "/tmp"];

    /// <returns>The directory, or null: another machine, no right to read the lock file, or nobody works there any more.</returns>
    public static string? DirectoryOf(ServerAddress address)
    {
        var places = address.IsSocket ? [address.Host] : IsHere(address.Host) ? UsualPlaces : [];
        return places.Select(place => Read($"{place}/.s.PGSQL.{address.Port}.lock")).FirstOrDefault(found => found is not null);
    }

    /// <summary>
    /// Where the server listens that runs on that directory, by its postmaster.pid (lines 4 to 6: port, socket directory, address), as a connection
    /// string; null when none runs or the file cannot be read.
    /// </summary>
    public static string? AddressOf(string directory)
    {
        try
        {
            if (DataDirectory.Open(directory).ServerPid is null)
                return null;
            var lines = File.ReadAllLines(Path.Combine(directory, "postmaster.pid"));
            if (lines.Length < 6 || !int.TryParse(lines[3], NumberStyles.None, CultureInfo.InvariantCulture, out var port))
                return null;
            var host = lines[4].Length > 0 ? lines[4] : lines[5] is "" or "*" or "0.0.0.0" or "::" ? "localhost" : lines[5];
            return $"host='{host.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("'", @"\'", StringComparison.Ordinal)}' port={port}";
        }
        catch (Exception unseen) when (unseen is UnauthorizedAccessException or IOException or DataDirectoryException)
        {
            return null;
        }
    }

    private static bool IsHere(string host) => host is "localhost" or "127.0.0.1" or "::1";

    private static string? Read(string file)
    {
        try
        {
            if (!File.Exists(file))
                return null;
            var lines = File.ReadLines(file).Take(2).ToArray();
            return lines.Length == 2 && int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && Directory.Exists(lines[1]) && DataDirectory.Open(lines[1]).ServerPid == pid ? lines[1] : null;
        }
        catch (Exception unseen) when (unseen is UnauthorizedAccessException or IOException or DataDirectoryException)
        {
            return null;
        }
    }
}
