namespace Kintsugi.State;

/// <summary>Lays snapshots out beside what lives: never over a file, never inside a data directory.</summary>
public sealed class SnapshotRestore(SnapshotStore store)
{
    private const string Below = SnapshotLayout.Data + "/";

    /// <summary>What ends before it is whole keeps this name: no server and no check takes it for a cluster that was laid out.</summary>
    private const string Unfinished = SnapshotLayout.Data + ".unfinished";

    /// <summary>Up to here files are synced one by one; beyond it the whole file system at once is quicker.</summary>
    private const int FewFiles = 64;

    /// <summary>Told of each thing that is done.</summary>
    public Action<string>? Told { get; init; }

    /// <summary>It is thrown away after use: that it outlives a loss of power is not worth waiting for.</summary>
    public bool Scratch { get; init; }

    /// <summary>
    /// A relation's files, by their paths below the data directory, for pg_read_binary_file's kin and for people; or a cluster, whose data directory takes
    /// its name when all of it is there and on disk.
    /// </summary>
    /// <param name="finish">What belongs to it before it takes its name; given the data directory as it is called until then.</param>
    /// <exception cref="StateException">The target is not empty or lies in a data directory, or the snapshot is not
    /// whole.</exception>
    public async ValueTask<SnapshotManifest> LayOut(
        string id, string target, Func<string, ValueTask>? finish, CancellationToken cancellationToken)
    {
        var manifest = store.Show(id);
        var reader = new SnapshotReader(store.PlaceOf(id));
        if (manifest.Files.Count == 0)
            throw new StateException($"the snapshot {id} holds no files, only definitions: kintsugi snapshots show {id} prints "
                + "them");
        var root = Prepare(target);
        try
        {
            Directory.CreateDirectory(Path.Combine(root, Unfinished), (UnixFileMode)0b111_000_000);
            await reader.LayOut(manifest, root, name => name == SnapshotLayout.Data || name.StartsWith(Below, StringComparison.Ordinal)
                ? Unfinished + name[SnapshotLayout.Data.Length..] : name, !Scratch && manifest.Files.Count <= FewFiles, Told, cancellationToken);
            if (manifest.Grade == SnapshotGrade.Cluster)
                LinkTablespaces(manifest, root);
            if (finish is not null)
                await finish(Path.Combine(root, Unfinished));
            TakeName(root, manifest.Files.Count > FewFiles);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new StateException($"the snapshot {id} could not be laid out in {target}: {problem.Message}. What lies there is not whole: remove it", problem);
        }
        return manifest;
    }

    public ValueTask<SnapshotManifest> LayOut(string id, string target, CancellationToken cancellationToken) => LayOut(id, target, null, cancellationToken);

    /// <summary>
    /// Each file beside the one that it is to replace, under its name with an ending, compared with its sum on the way: nothing takes a living name here.
    /// </summary>
    /// <exception cref="StateException">The snapshot is not whole, or a file cannot be written.</exception>
    public async ValueTask Stage(string id, string dataDirectory, string ending, CancellationToken cancellationToken)
    {
        var manifest = store.Show(id);
        try
        {
            foreach (var file in manifest.Files)
                File.Delete(SafeName.Join(dataDirectory, file.Name[Below.Length..]) + ending);
            await new SnapshotReader(store.PlaceOf(id)).LayOut(manifest, dataDirectory,
                name => name.StartsWith(Below, StringComparison.Ordinal) ? name[Below.Length..] + ending : null, sync: true, Told, cancellationToken);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new StateException($"the snapshot {id} could not be laid beside the files of {dataDirectory}: {problem.Message}", problem);
        }
    }

    /// <summary>Below the target, the data directory of a cluster that was laid out.</summary>
    public static string DataDirectory(string target) => Path.Combine(target, SnapshotLayout.Data);

    private static string Prepare(string target)
    {
        var root = Path.GetFullPath(target);
        if (SafeName.ClusterAround(root) is { } cluster)
            throw new StateException($"{target} lies in the data directory {cluster}: a snapshot is never laid over a cluster. "
                + "Name another directory.");
        try
        {
            if (Directory.Exists(Path.Combine(root, Unfinished)))
                throw new StateException($"{target} is not empty: {Path.Combine(root, Unfinished)} lies there, which a run was laying out "
                    + $"that was ended, or goes on still. It is not whole and nothing needs it. Remove {target}, or name a new directory.");
            if (Directory.Exists(root) && Directory.EnumerateFileSystemEntries(root).Any())
                throw new StateException($"{target} is not empty: a snapshot is never laid over other files. Name a new "
                    + "directory.");
            Directory.CreateDirectory(root, (UnixFileMode)0b111_000_000);
            return root;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new StateException($"{target} cannot be written: {problem.Message}", problem);
        }
    }

    private void TakeName(string root, bool many)
    {
        if (!Scratch)
        {
            if (many)
                LinuxFiles.SyncFileSystem(root);
            foreach (var path in Directory.EnumerateDirectories(root, "*", new EnumerationOptions
                     { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }))
                LinuxFiles.SyncDirectory(path);
        }
        Told?.Invoke($"all of it lies in {root}");
        Directory.Move(Path.Combine(root, Unfinished), DataDirectory(root));
        if (!Scratch)
            LinuxFiles.SyncDirectory(root);
        Told?.Invoke($"{DataDirectory(root)} has its name");
    }

    /// <summary>
    /// Links lead into the copy. tablespace_map would lead back to the living cluster, and a server that starts with it
    /// rewrites the links so
    /// (src/backend/access/transam/xlogrecovery.c, read_tablespace_map): it is never part of the copy.
    /// </summary>
    private static void LinkTablespaces(SnapshotManifest manifest, string root)
    {
        foreach (var oid in manifest.Tablespaces.Keys)
        {
            var link = SafeName.Join(root, $"{Unfinished}/pg_tblspc/{oid}");
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            File.CreateSymbolicLink(link, SafeName.Join(root, $"{SnapshotLayout.Tablespaces}/{oid}"));
        }
    }
}
