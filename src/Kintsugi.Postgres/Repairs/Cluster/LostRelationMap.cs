using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>
/// pg_filenode.map names the files of the catalogs whose rows in pg_class say 0. Which these are, pg_class tells; which file is whose is proven by
/// exhaustion: a file that bears the catalog's own OID was given to it by initdb and never to anybody else, and a map of another database counts only
/// where it leaves no file of the directory without an owner and no catalog without a file.
/// </summary>
internal sealed class LostRelationMap(DataDirectory directory)
{
    private const uint PgClass = 1259;
    private const string Map = "pg_filenode.map", Global = "global";

    /// <summary>pg_class of a hundred thousand relations has some 25 MB.</summary>
    private const long MostToSearch = 256 << 20;

    /// <summary>FirstNormalObjectId: files with a smaller number were made by initdb, for the catalog of that OID.</summary>
    private const uint FirstOfUsers = 16384;

    private readonly RawTable table = new(directory.Files, new TransactionLog(directory.Path, directory.Control));

    private sealed record Row(uint Oid, string Name, uint Filenode, uint Tablespace, bool Shared, char Kind);

    public async ValueTask<ClusterMend> Tell(string file, CancellationToken cancellationToken)
    {
        var home = Path.GetDirectoryName(file)!;
        if (!directory.IsShutDown)
            return Unknown(file, "the cluster was not stopped cleanly (or its control file cannot be trusted): what its catalogs say may be in the WAL alone");
        var rows = home == Global ? await SharedRows(cancellationToken) : await RowsOf(home, cancellationToken);
        if (rows is null)
            return Unknown(file, "no file there could be told to be its pg_class without doubt");
        var files = FilesIn(home);
        var mapped = rows.Where(row => row.Filenode == 0 && row.Shared == (home == Global) && row.Kind is 'r' or 'i' or 't' && row.Filenode == 0).ToList();
        var taken = rows.Where(row => row.Filenode != 0 && !row.Shared && row.Kind is 'r' or 'i' or 't' or 'm' or 'S').Select(row => row.Filenode).ToHashSet();
        if (home != Global)
            files.ExceptWith(taken);
        var sure = mapped.Where(row => row.Oid < FirstOfUsers && files.Contains(row.Oid)).ToDictionary(row => row.Oid, row => row.Oid);
        files.ExceptWith(sure.Keys);
        var open = mapped.Where(row => !sure.ContainsKey(row.Oid)).Select(row => row.Oid).ToHashSet();
        if (open.Count == 0 && files.Count == 0)
            return Found(sure, "every mapped catalog still has the file that initdb gave it, and no other file is there without an owner");
        foreach (var (other, map) in await OtherMaps(home, cancellationToken))
            if (open.All(oid => map.TryGetValue(oid, out var number) && files.Contains(number)) && open.Select(oid => map[oid]).Distinct().Count() == files.Count)
                return Found(sure.Concat(open.Select(oid => KeyValuePair.Create(oid, map[oid]))).ToDictionary(),
                    $"the map in {other} names a file for each of its catalogs, and leaves none without an owner");
        if (home != Global && await new MappedFiles(directory, home).Tell(open, files, sure, cancellationToken) is { } told)
            return Found(sure.Concat(told).ToDictionary(), $"{open.Count} mapped catalogs were rewritten since initdb, and which of the {files.Count} files without an owner is whose tells what is in them: "
                + "the well-known row of each catalog, and indexes whose every entry leads to a row of it with just that key");
        return Unknown(file, $"{open.Count} of {mapped.Count} mapped catalogs were rewritten since initdb (VACUUM FULL, CLUSTER, REINDEX), "
            + $"{files.Count} files have no owner, no map of another database fits, and "
            + (home == Global ? "files of shared catalogs are not told by what is in them" : "what is in them does not tell each of them apart"));
    }

    private ClusterMend.Content Found(IReadOnlyDictionary<uint, uint> map, string why) => new(RelationMap.Write(map, directory.Major), why);

    private ClusterMend.Unknown Unknown(string file, string why) => new(
        $"{file} cannot be told from what is left: {why}. By hand: put it back from a backup of this cluster that was taken since the last rewrite of a "
        + $"system catalog of that database (cp -p BACKUP/{file} {Path.Combine(directory.Path, file)}: loses nothing when it is the right one, and with a "
        + "wrong one the server finds no catalogs; try it on a copy). Without one: restore the database from its backup, which loses what came after it");

    private HashSet<uint> FilesIn(string home) =>
        [.. directory.Files.List(home).Where(name => uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Select(name => uint.Parse(name, CultureInfo.InvariantCulture))];

    private async ValueTask<List<Row>?> SharedRows(CancellationToken cancellationToken)
    {
        foreach (var home in directory.Files.List("base").Where(entry => entry.EndsWith('/')).Select(entry => $"base/{entry[..^1]}"))
            if (await RowsOf(home, cancellationToken) is { } rows)
                return rows;
        return null;
    }

    /// <summary>pg_class is the one table that holds a row with its own OID and name.</summary>
    private async ValueTask<List<Row>?> RowsOf(string home, CancellationToken cancellationToken)
    {
        var candidates = FilesIn(home).OrderBy(number => number != PgClass).ThenBy(number => number).ToList();
        List<Row>? found = null;
        foreach (var number in candidates)
        {
            if (directory.Files.Length($"{home}/{number}") is 0 or > MostToSearch)
                continue;
            var rows = await table.Read($"{home}/{number}", 124, Read, cancellationToken);
            if (!rows.Any(row => row is { Oid: PgClass, Name: "pg_class", Kind: 'r' }))
                continue;
            if (found is not null)
                return null;
            found = rows;
            // Its own number cannot be a later copy's.
            if (number == PgClass)
                break;
        }
        return found;
    }

    private Row Read(RawRow row)
    {
        var kind = (directory.Major >= 18 ? 112 : 108) + 7;
        return new Row(row.Oid(0), row.Name(4), row.Oid(88), row.Oid(92), row.Bool(kind - 2), row.Char(kind));
    }

    private async ValueTask<List<(string File, IReadOnlyDictionary<uint, uint> Map)>> OtherMaps(string home, CancellationToken cancellationToken)
    {
        var found = new List<(string, IReadOnlyDictionary<uint, uint>)>();
        foreach (var other in directory.Files.List("base").Where(entry => entry.EndsWith('/')).Select(entry => $"base/{entry[..^1]}").Where(other => other != home && home != Global))
        {
            var buffer = new byte[1024];
            var read = await directory.Files.Read($"{other}/{Map}", 0, buffer, cancellationToken);
            var flaws = new List<Flaw>();
            if (RelationMap.Read(buffer.AsSpan(0, read), flaws) is { } map && flaws.Count == 0)
                found.Add(($"{other}/{Map}", map.Files));
        }
        return found;
    }
}
