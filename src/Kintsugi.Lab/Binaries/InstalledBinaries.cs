using System.Globalization;
using System.Text.RegularExpressions;

namespace Kintsugi.Lab;

/// <summary>Servers that the machine already has, in the places where distributions put them.</summary>
internal static partial class InstalledBinaries
{
    /// <summary>The directory the user named; an unfit one is an error, never silently passed over.</summary>
    public static async Task<PostgresBinaries> At(string directory, int? major, CancellationToken cancellationToken)
    {
        var found = await Look(directory, cancellationToken)
            ?? throw new LabException($"{directory} holds no PostgreSQL server (initdb, pg_ctl and postgres are needed). "
                + "Name its bin directory with --pg-bin or PG_BIN.");
        return major is null || found.Major == major
            ? found
            : throw new LabException($"{directory} holds PostgreSQL {found.Major}, but {major} was asked for.");
    }

    /// <summary>The server of this major, or with null the newest supported one; null when there is none.</summary>
    public static async Task<PostgresBinaries?> Find(int? major, CancellationToken cancellationToken)
    {
        PostgresBinaries? best = null;
        foreach (var directory in await Places(cancellationToken))
        {
            var found = await Look(directory, cancellationToken);
            if (found is null || found.Major is < PostgresBinaries.OldestMajor or > PostgresBinaries.NewestMajor)
                continue;
            if (major is null ? found.Major > (best?.Major ?? 0) : found.Major == major)
                best = found;
        }
        return best;
    }

    private static async Task<IReadOnlyList<string>> Places(CancellationToken cancellationToken)
    {
        var places = new List<string>();
        places.AddRange(Subfolders("/usr/lib/postgresql", "*"));
        places.AddRange(Subfolders("/usr", "pgsql-*"));
        places.AddRange(Subfolders("/opt/homebrew/opt", "postgresql@*"));
        places.AddRange(Subfolders("/usr/local/opt", "postgresql@*"));
        var configured = await ExternalCommand.Run(["pg_config", "--bindir"], cancellationToken);
        if (configured.Succeeded)
            places.Add(configured.Output.Trim());
        return places;
    }

    private static IEnumerable<string> Subfolders(string parent, string pattern) =>
        Directory.Exists(parent)
            ? Directory.EnumerateDirectories(parent, pattern).Order(StringComparer.Ordinal).Select(d => Path.Combine(d, "bin"))
            : [];

    /// <summary>Asks the server itself for its version: a directory name proves nothing.</summary>
    internal static async Task<PostgresBinaries?> Look(string directory, CancellationToken cancellationToken)
    {
        foreach (var program in (string[])["initdb", "pg_ctl", "postgres"])
            if (!File.Exists(Path.Combine(directory, program)))
                return null;
        var said = await ExternalCommand.Run([Path.Combine(directory, "postgres"), "--version"], cancellationToken);
        var match = VersionLine().Match(said.Output);
        return said.Succeeded && match.Success
            ? new PostgresBinaries(int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), directory)
            : null;
    }

    [GeneratedRegex(@"postgres \(PostgreSQL\) (\d+)")]
    private static partial Regex VersionLine();
}
