using System.Text;
using Kintsugi.Pages;
using Kintsugi.Pages.Wal;
using Kintsugi.Postgres.Checks.Storage;
using Kintsugi.Postgres.Files;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>
/// A link of pg_tblspc that is gone. Where it led is told by the one directory that holds the files which the catalogs of all databases have in that tablespace,
/// in a directory of this version, owned as the cluster is, and not older than the WAL says; or, for a tablespace without files, by the WAL or a tablespace_map.
/// </summary>
internal sealed class LostTablespace(DataDirectory directory)
{
    private const string Folder = "pg_tblspc";

    /// <summary>XLOG_TBLSPC_CREATE of resource manager 5: the OID, then the path (xl_tblspc_create_rec).</summary>
    private const int Tablespaces = 5, Create = 0x00;

    /// <summary>Blocks whose age is compared.</summary>
    private const int MostBlocks = 100_000;

    private readonly string version = $"PG_{directory.Major}_{directory.Control?.CatalogVersion ?? 0}";
    private readonly Dictionary<BlockAddress, ulong> lastChange = [];
    private readonly HashSet<string> told = [];

    public async ValueTask<ClusterMend> Tell(string path, CancellationToken cancellationToken)
    {
        if (!uint.TryParse(Path.GetFileName(path), out var oid))
            return Unknown(path, "it is no tablespace's link", []);
        var link = new FileInfo(Path.Combine(directory.Path, path));
        if (link.LinkTarget is { } leads)
            return Unknown(path, $"the link is there and leads to {leads}, where no directory {version} lies: the volume may not be mounted", []);
        if (!directory.IsShutDown)
            return Unknown(path, "the cluster was not stopped cleanly (or its control file cannot be trusted): what its catalogs say may be in the WAL alone", []);
        var (databases, files) = await Expected(path, oid, cancellationToken);
        HearWal(oid, cancellationToken);
        HearMaps(oid);
        var places = await Task.Run(() => new TablespaceSearch(directory, version).Places(told), cancellationToken);
        var fitting = places.Where(place => Fits(place, databases, files)).ToList();
        if (files.Count == 0)
            fitting = [.. fitting.Where(told.Contains)];
        if (fitting is not [var found])
            return Unknown(path, fitting.Count == 0 ? $"no directory was found whose {version} holds the {files.Count} files that the catalogs have there"
                : $"{fitting.Count} directories hold what the catalogs have there", fitting);
        if (await Older(found, cancellationToken) is { } older)
            return Unknown(path, $"{found} is an older copy: {older}", fitting);
        return new ClusterMend.Link(found, (files.Count == 0 ? "the WAL or a tablespace_map names it" : $"it holds all {files.Count} files that the catalogs of "
            + $"{databases.Count} databases have in this tablespace, and nothing of another cluster") + $", and is the only such directory"
            + (lastChange.Count > 0 ? $"; {lastChange.Count} of its blocks are as young as the WAL says" : ""))
        {
            Warnings = [$"nobody else may use {found}: see that no other cluster's pg_tblspc leads there"],
        };
    }

    /// <summary>The files that the catalogs have in the tablespace, below the directory of the version, and the databases that may have a directory there.</summary>
    private async ValueTask<(HashSet<string> Databases, List<string> Files)> Expected(string path, uint oid, CancellationToken cancellationToken)
    {
        var catalog = new RawCatalog(directory);
        var databases = await catalog.Databases(cancellationToken);
        var files = new List<string>();
        foreach (var database in databases)
        {
            var prefix = $"{path}/{version}/";
            if (database.Tablespace == oid)
                files.AddRange(new[] { "PG_VERSION", "pg_filenode.map" }.Select(name => $"{database.Oid}/{name}"));
            else
                files.AddRange((await catalog.Relations(database, cancellationToken)).Where(relation => relation.Persistence != 't')
                    .Select(relation => relation.Path).OfType<string>().Where(file => file.StartsWith(prefix, StringComparison.Ordinal)).Select(file => file[prefix.Length..]));
        }
        return ([.. databases.Select(database => database.Oid.ToString(System.Globalization.CultureInfo.InvariantCulture))], files);
    }

    private void HearWal(uint oid, CancellationToken cancellationToken) => WalRemains.Read(directory.Path, (record, _) =>
    {
        if (record.ResourceManager == Tablespaces && (record.Info & 0xF0) == Create && record.MainData.Span is var data && data.Length > 4 && BitConverter.ToUInt32(data) == oid)
            told.Add(Encoding.UTF8.GetString(data[4..]).TrimEnd('\0'));
        // An image, or a page from nothing, always sets the page's LSN; other records of an index or a map may not.
        foreach (var block in record.Blocks)
            if (block.Address is { Fork: 0 } address && address.Tablespace == oid && (block.ImageApplies || block.WillInit) && (lastChange.Count < MostBlocks || lastChange.ContainsKey(address)))
                lastChange[address] = record.End;
    }, cancellationToken);

    /// <summary>Lines of an OID and a path, as a base backup writes them.</summary>
    private void HearMaps(uint oid)
    {
        foreach (var file in new[] { "tablespace_map", "tablespace_map.old" }.Select(name => Path.Combine(directory.Path, name)).Where(File.Exists))
            told.UnionWith(File.ReadLines(file).Select(line => line.Split(' ', 2)).Where(pair => pair.Length == 2 && pair[0] == $"{oid}").Select(pair => pair[1]));
    }

    private bool Fits(string place, HashSet<string> databases, List<string> files)
    {
        var home = Path.Combine(place, version);
        return FileOwner.Of(home) == FileOwner.Of(directory.Path)
            && files.TrueForAll(file => File.Exists(Path.Combine(home, file)))
            && Directory.EnumerateDirectories(home).Select(folder => Path.GetFileName(folder)).All(name => name == "pgsql_tmp" || databases.Contains(name));
    }

    /// <returns>A block that the WAL knows to be younger, or null.</returns>
    private async ValueTask<string?> Older(string place, CancellationToken cancellationToken)
    {
        var files = new LocalFiles(Path.Combine(place, version));
        var page = new byte[PageFormat.HeaderSize];
        foreach (var (block, end) in lastChange)
        {
            var (file, offset) = Forks.Place($"{block.Database}/{block.File}", Forks.Main, block.Block);
            // Dropped or cut off since: the catalogs do not ask for it.
            if (await files.Read(file, offset, page, cancellationToken) == page.Length && PageHeader.Read(page) is { IsNew: false } header && header.Lsn < end)
                return $"block {block.Block} of {file} was last written at {PageJudge.Lsn(header.Lsn)}, and the WAL has a change of it at {PageJudge.Lsn(end)}";
        }
        return null;
    }

    private ClusterMend.Unknown Unknown(string path, string why, List<string> candidates) => new(
        $"where {path} led cannot be told: {why}. " + (candidates.Count > 0 ? $"Found: {string.Join(", ", candidates)}. " : "")
        + (told.Count > 0 ? $"The WAL or a tablespace_map names {string.Join(", ", told)}. " : "")
        + $"By hand: mount the volume, find the directory that holds {version}, and ln -s DIRECTORY {Path.Combine(directory.Path, path)} as the server's user: "
        + "loses nothing when it is this cluster's "
        + "own and its latest; with an older copy every change since is lost, and the tables contradict the others. Without the directory its tables come back from a backup alone");
}
