namespace Kintsugi.Postgres.Snapshots;

/// <summary>Copies a stopped cluster file by file, WAL and all: the plainest and surest of snapshots.</summary>
internal sealed class StoppedClusterCopy(ISnapshotShelf shelf, Patient patient)
{
    public async ValueTask<string> Take(SnapshotManifest manifest, CancellationToken cancellationToken)
    {
        var directory = patient.Files?.Directory
            ?? throw new HealingException("a stopped cluster can only be copied from its data directory; name it with -D",
            mayPass: false);
        RequireStopped(directory);
        var files = new ClusterFiles(directory, running: false);
        files.Gather();
        await using var draft = await shelf.Begin(manifest with { Tablespaces = files.Tablespaces }, files.Bytes,
            cancellationToken);
        foreach (var name in files.Directories)
            draft.AddDirectory(name);
        foreach (var (source, name) in files.Found)
            if (!await draft.Copy(source, name, null, cancellationToken))
                throw new HealingException($"{source} went away while it was copied: somebody is at work in {directory}",
                    mayPass: false);
        RequireStopped(directory);
        await draft.Complete(whole => whole, cancellationToken);
        return draft.Id;
    }

    /// <summary>
    /// The lock file names the postmaster in its first line (src/backend/utils/init/miscinit.c, CreateLockFile).
    /// </summary>
    private static void RequireStopped(string directory)
    {
        var file = Path.Combine(directory, "postmaster.pid");
        if (!File.Exists(file) || !int.TryParse(File.ReadLines(file).FirstOrDefault(), out var pid))
            return;
        if (Directory.Exists($"/proc/{pid}") && File.ReadAllText($"/proc/{pid}/cmdline").Contains("postgres",
            StringComparison.Ordinal))
            throw new HealingException(
                $"a server (process {pid}) is running in {directory}: its files cannot be copied as those of a stopped one. "
                    + "Stop it, or connect to it.",
                mayPass: false);
    }
}
