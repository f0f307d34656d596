using System.Collections.Concurrent;
using System.Globalization;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>Opens patients that have no server: checks that need a session are not applicable, those over files see
/// everything.</summary>
public sealed class OfflineSource : IPatientSource, IRemembersPages
{
    private readonly DataDirectory directory;
    private RawCatalog catalog;
    private readonly Pace pace;
    private readonly Dictionary<string, RawDatabase> databases;
    private readonly ConcurrentDictionary<string, Inventory> inventories = new();

    private OfflineSource(DataDirectory directory, RawCatalog catalog, IReadOnlyList<RawDatabase> databases, Pace pace)
    {
        this.directory = directory;
        this.catalog = catalog;
        this.pace = pace;
        this.databases = databases.DistinctBy(database => database.Name).ToDictionary(database => database.Name);
        Server = Facts(directory);
    }

    public DataDirectory Directory => directory;
    public Capabilities Server { get; }

    /// <summary>Where checks of pages remember what they saw; set before the first patient is opened.</summary>
    public IPageLedger? PageLedger { get; set; }

    /// <summary>All of them, those that accept no connections as well: nobody has to be let in to read files.</summary>
    public IReadOnlyList<string> Databases => [.. databases.Keys.Order(StringComparer.Ordinal)];
    public IReadOnlyDictionary<string, string> Closed { get; } = new Dictionary<string, string>();

    /// <exception cref="DataDirectoryException">It is no data directory, may not be read, or is of a kind that is not known
    /// here.</exception>
    public static async ValueTask<OfflineSource> Open(string path, Pace pace, CancellationToken cancellationToken)
    {
        var directory = DataDirectory.Open(path);
        var catalog = new RawCatalog(directory);
        var databases = await catalog.Databases(cancellationToken);
        if (databases.Count == 0)
            databases = [.. FromDirectories(directory.Files)];
        return new OfflineSource(directory, catalog, databases, pace);
    }

    public async ValueTask<Patient> Open(string? database, CancellationToken cancellationToken)
    {
        // The shared catalogs are in every database's pg_class.
        var inventory = (database ?? (Databases.Count > 0 ? Databases[0] : null)) is { } name
            ? await Read(name, cancellationToken) : null;
        return new Patient(null, directory.Files, Server) { Inventory = inventory, Pace = pace, PageLedger = PageLedger };
    }

    /// <summary>How transactions ended is read again as well: one that changed the catalog has ended since.</summary>
    public void Forget(string database)
    {
        inventories.TryRemove(database, out _);
        catalog = new RawCatalog(directory);
    }

    public ValueTask<bool> CrashedSince(CancellationToken cancellationToken) => ValueTask.FromResult(false);

    private async ValueTask<Inventory> Read(string name, CancellationToken cancellationToken)
    {
        if (inventories.TryGetValue(name, out var known))
            return known;
        if (!databases.TryGetValue(name, out var database))
            throw new PatientException(null, $"{directory.Path} has no database {name}");
        var relations = await catalog.Relations(database, cancellationToken);
        if (relations.Count == 0)
            relations = [.. OrphanedFiles.Of(directory.Files, catalog.Home(database.Tablespace, database))];
        return inventories.GetOrAdd(name, new Inventory(name, [.. relations.DistinctBy(relation => relation.Oid)]));
    }

    private static IEnumerable<RawDatabase> FromDirectories(LocalFiles files) =>
        from entry in files.List("base")
        where entry.EndsWith('/') && uint.TryParse(entry.AsSpan(0, entry.Length - 1), NumberStyles.None,
            CultureInfo.InvariantCulture, out _)
        let oid = uint.Parse(entry.AsSpan(0, entry.Length - 1), CultureInfo.InvariantCulture)
        select new RawDatabase(oid, entry[..^1], 1663, true);

    /// <summary>The WAL names its cluster as well, and a case must bear the same name before and after its control file was put back.</summary>
    private static ulong? IdentifierOf(DataDirectory directory) => directory.IsControlTrusted ? directory.Control!.SystemIdentifier
        : WalRemains.IdentifierOf(directory.Path) ?? directory.Control?.SystemIdentifier;

    private static Capabilities Facts(DataDirectory directory) => new()
    {
        Major = directory.Major,
        // The minor is not on disk: checks that ask for it need a server anyway.
        VersionNumber = directory.Major * 10000,
        Version = directory.Major.ToString(CultureInfo.InvariantCulture),
        SystemIdentifier = IdentifierOf(directory)?.ToString(CultureInfo.InvariantCulture) ?? "unknown",
        Timeline = (int)(directory.Control?.Timeline ?? 0),
        DataChecksums = directory.IsControlTrusted ? directory.Control!.ChecksumVersion != 0 : null,
        DataDirectory = directory.Path,
        FilesReachable = true,
        ServerRuns = directory.ServerPid is not null,
    };
}
