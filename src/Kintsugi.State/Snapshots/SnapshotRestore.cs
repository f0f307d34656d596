namespace Kintsugi.State;

/// <summary>Lays snapshots out beside what lives: never over a file, never inside a data directory.</summary>
public sealed class SnapshotRestore(SnapshotStore store)
{
    /// <summary>
    /// A relation's files, by their paths below the data directory, for pg_read_binary_file's kin and for people.
    /// </summary>
    /// <exception cref="StateException">The target is not empty or lies in a data directory, or the snapshot is not
    /// whole.</exception>
    public async ValueTask<SnapshotManifest> LayOut(string id, string target, CancellationToken cancellationToken)
    {
        var manifest = store.Show(id);
        var reader = new SnapshotReader(store.PlaceOf(id));
        if (manifest.Files.Count == 0)
            throw new StateException($"the snapshot {id} holds no files, only definitions: kintsugi snapshots show {id} prints "
                + "them");
        var root = Prepare(target);
        try
        {
            await reader.LayOut(manifest, root, name => name, cancellationToken);
            if (manifest.Grade == SnapshotGrade.Cluster)
                LinkTablespaces(manifest, root);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new StateException($"the snapshot {id} could not be laid out in {target}: {problem.Message}", problem);
        }
        return manifest;
    }

    /// <summary>
    /// Each file beside the one that it is to replace, under its name with an ending, compared with its sum on the way: nothing takes a living name here.
    /// </summary>
    /// <exception cref="StateException">The snapshot is not whole, or a file cannot be written.</exception>
    public async ValueTask Stage(string id, string dataDirectory, string ending, CancellationToken cancellationToken)
    {
        var manifest = store.Show(id);
        const string below = SnapshotLayout.Data + "/";
        try
        {
            foreach (var file in manifest.Files)
                File.Delete(SafeName.Join(dataDirectory, file.Name[below.Length..]) + ending);
            await new SnapshotReader(store.PlaceOf(id)).LayOut(manifest, dataDirectory,
                name => name.StartsWith(below, StringComparison.Ordinal) ? name[below.Length..] + ending : null, cancellationToken);
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

    /// <summary>
    /// Links lead into the copy. tablespace_map would lead back to the living cluster, and a server that starts with it
    /// rewrites the links so
    /// (src/backend/access/transam/xlogrecovery.c, read_tablespace_map): it is never part of the copy.
    /// </summary>
    private static void LinkTablespaces(SnapshotManifest manifest, string root)
    {
        foreach (var oid in manifest.Tablespaces.Keys)
        {
            var link = SafeName.Join(root, $"{SnapshotLayout.Data}/pg_tblspc/{oid}");
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            File.CreateSymbolicLink(link, SafeName.Join(root, $"{SnapshotLayout.Tablespaces}/{oid}"));
        }
    }
}
