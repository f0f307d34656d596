using System.Globalization;
using Kintsugi.Pages.Wal;
using Kintsugi.Postgres.Checks.Storage;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Scratch;
using WalPosition = Kintsugi.Postgres.Checks.Storage.WalEnd;

namespace Kintsugi.Postgres.Operating.Stopped;

/// <summary>
/// Puts the files of a relation snapshot back into the stopped cluster that they were taken from. Only where nothing can be lost by it: the relation has the
/// same files still, and since the checkpoint that the copy stands on no WAL touched them, nor the table's other files (RULES.md 30).
/// </summary>
public sealed class RelationReturn(DataDirectory directory, SnapshotManifest manifest)
{
    /// <summary>The ending of a file that waits for the name.</summary>
    public const string Draft = ClusterFileStep.Draft;

    /// <summary>The files that would be replaced, by their paths below the data directory.</summary>
    public IReadOnlyList<string> Files { get; } =
        [.. manifest.Files.Select(file => file.Name).Where(name => name.StartsWith(SnapshotLayout.Data + "/", StringComparison.Ordinal)).Select(name => name[(SnapshotLayout.Data.Length + 1)..])];

    /// <returns>Why they may not be put back, or null.</returns>
    public async ValueTask<string?> Obstacle(CancellationToken cancellationToken)
    {
        if (manifest is not { Grade: SnapshotGrade.Relation, Complete: true, Lsn: { } taken } || Files.Count == 0)
            return "it is no whole snapshot of a relation's files";
        if (!directory.IsShutDown || directory.Control is not { } control)
            return "the cluster was not stopped cleanly: start it, let it recover, and stop it";
        if (control.SystemIdentifier.ToString(CultureInfo.InvariantCulture) != manifest.Server || (manifest.Timeline != 0 && manifest.Timeline != control.Timeline))
            return $"it was taken from cluster {manifest.Server} on timeline {manifest.Timeline}; this is {control.SystemIdentifier} on timeline {control.Timeline}";
        if (control.WalLevel == 0)
            return "wal_level is minimal: what changed since is not all in the WAL";
        var catalog = new RawCatalog(directory);
        if ((await catalog.Databases(cancellationToken)).FirstOrDefault(database => database.Name == manifest.Database) is not { } database)
            return $"there is no database {manifest.Database}";
        var relations = await catalog.Relations(database, cancellationToken);
        var guarded = new HashSet<uint>();
        foreach (var item in manifest.Objects.Where(item => item.Path is not null))
        {
            if (relations.FirstOrDefault(relation => $"{relation.Schema}.{relation.Name}" == item.Name) is not { } relation || relation.Path != item.Path)
                return $"{item.Name} does not have the file {item.Path} any more: it was rewritten, moved or dropped since";
            if (relation.Persistence != 'p')
                return $"{item.Name} is not logged: what changed since is not in the WAL";
            guarded.UnionWith(relations.Where(other => other.TableOid == relation.TableOid && other.Path is not null)
                .Select(other => uint.Parse(other.Path!.Split('/')[^1], CultureInfo.InvariantCulture)));
        }
        return Grown() ?? Changed(guarded, WalPosition.Parse(taken), cancellationToken);
    }

    /// <summary>Takes away what a killed run had staged and not put: a server that was started since would carry it for ever.</summary>
    public void Sweep()
    {
        foreach (var file in Files)
            File.Delete(Path.Combine(directory.Path, file + Draft));
    }

    /// <summary>Takes the names for files that lie beside them, whole: after a kill some have, and the same command puts the others.</summary>
    /// <param name="told">Told of each file that has its name.</param>
    public async ValueTask Take(Action<string>? told, CancellationToken cancellationToken)
    {
        foreach (var file in Files)
        {
            var path = Path.Combine(directory.Path, file);
            File.SetUnixFileMode(path + Draft, UnixFileMode.UserRead | UnixFileMode.UserWrite | (File.GetUnixFileMode(directory.Path) & UnixFileMode.GroupRead));
            if (Environment.IsPrivilegedProcess)
                await ScratchAccount.Run(new ScratchAccount(null).Command(["chown", $"--reference={directory.Path}", path + Draft]), cancellationToken);
        }
        foreach (var file in Files)
        {
            File.Move(Path.Combine(directory.Path, file + Draft), Path.Combine(directory.Path, file), overwrite: true);
            told?.Invoke($"put {file}");
        }
        foreach (var folder in Files.Select(file => Path.GetDirectoryName(Path.Combine(directory.Path, file))!).Distinct())
            Durable.Names(folder);
    }

    /// <summary>Segments that the copy does not have would stand behind an older end.</summary>
    private string? Grown()
    {
        foreach (var home in Files.GroupBy(file => Path.GetDirectoryName(file)!))
        {
            var roots = home.Select(file => Root(Path.GetFileName(file))).ToHashSet();
            if (directory.Files.List(home.Key).FirstOrDefault(name => roots.Contains(Root(name)) && !name.EndsWith(Draft, StringComparison.Ordinal)
                && !home.Contains($"{home.Key}/{name}")) is { } more)
                return $"{home.Key}/{more} is there, and the snapshot has no such file: the relation has grown since";
        }
        return null;
    }

    private static string Root(string name) => name.Split('_', '.')[0];

    private string? Changed(HashSet<uint> guarded, ulong taken, CancellationToken cancellationToken)
    {
        ulong? redo = null;
        var touched = new List<(ulong Lsn, uint File)>();
        var wal = WalRemains.Read(directory.Path, (record, _) =>
        {
            if (record.Lsn <= taken && FoundCheckpoint.Of(record) is { } checkpoint)
                redo = checkpoint.Redo;
            // An image for a hint bit changes nothing that anybody reads (XLOG_FPI_FOR_HINT).
            if (record.ResourceManager == 0 && (record.Info & 0xF0) == 0xA0)
                return;
            touched.AddRange(record.Blocks.Select(block => block.Address.File).Append(Cut(record)).Where(guarded.Contains).Select(file => (record.Lsn, file)));
        }, cancellationToken);
        if (wal is not { GoesOnBehindAGap: false } || wal.End <= directory.Control!.Checkpoint || redo is not { } from)
            return $"pg_wal does not reach back to the checkpoint before {PageJudge.Lsn(taken)}, when it was taken: what changed since cannot be told";
        return touched.FirstOrDefault(touch => touch.Lsn >= from) is { Lsn: not 0 } first
            ? $"{touched.Count(touch => touch.Lsn >= from)} records of the WAL have changed its table or index since, the first at {PageJudge.Lsn(first.Lsn)} "
                + $"(file {first.File}): these changes would be lost"
            : null;
    }

    /// <summary>The file that a record truncates or makes (xl_smgr_truncate, xl_smgr_create in storage_xlog.h), or 0.</summary>
    private static uint Cut(WalRecord record)
    {
        if (record.ResourceManager != 2 || record.MainData is var data && data.Length < 16)
            return 0;
        return BitConverter.ToUInt32(data.Span[((record.Info & 0xF0) == 0x20 ? 12 : 8)..]);
    }
}
