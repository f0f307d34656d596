using System.Globalization;

namespace Kintsugi.Postgres.Scratch;

/// <summary>The directory of postgres and pg_ctl that fit a cluster on this machine.</summary>
public static class ServerPrograms
{
    /// <param name="major">Of the cluster: another major does not start it.</param>
    /// <param name="named">What the user named; it wins.</param>
    /// <param name="directory">The cluster: its postmaster.opts begins with the program that last ran it (CreateOptsFile, postmaster.c).</param>
    /// <exception cref="HealingException">None was found; the message names the places.</exception>
    public static string Find(int major, string? named, string? directory)
    {
        if (named is not null)
            return IsThere(named) ? named : throw new HealingException($"{named} holds no postgres and pg_ctl", mayPass: false);
        var number = major.ToString(CultureInfo.InvariantCulture);
        var places = new List<string>();
        if (directory is not null && LastProgram(directory) is { } last)
            places.Add(last);
        places.AddRange([$"/usr/lib/postgresql/{number}/bin", $"/usr/pgsql-{number}/bin", $"/usr/local/pgsql-{number}/bin", $"/opt/homebrew/opt/postgresql@{number}/bin"]);
        return places.FirstOrDefault(IsThere) ?? throw new HealingException(
            $"no server programs of PostgreSQL {number} were found (looked in {string.Join(", ", places)}): name their directory with --pg-bin", mayPass: false);
    }

    private static bool IsThere(string directory) => File.Exists(Path.Combine(directory, "postgres")) && File.Exists(Path.Combine(directory, "pg_ctl"));

    private static string? LastProgram(string directory)
    {
        var file = Path.Combine(directory, "postmaster.opts");
        return File.Exists(file) && File.ReadLines(file).FirstOrDefault() is { } line ? Path.GetDirectoryName(line.Split(" \"")[0].Trim()) : null;
    }
}
