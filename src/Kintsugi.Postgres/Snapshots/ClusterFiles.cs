using System.Text.RegularExpressions;

namespace Kintsugi.Postgres.Snapshots;

/// <summary>Which files of a cluster belong into a copy of it (PostgreSQL manual, "Backing Up the Data Directory").</summary>
internal sealed partial class ClusterFiles(string directory, bool running)
{
    /// <summary>Directories whose contents a starting server makes anew.</summary>
    private static readonly string[] Emptied =
        ["pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans", "pg_replslot"];

    public List<(string Source, string Name)> Found { get; } = [];
    public List<string> Directories { get; } = [];
    public Dictionary<string, string> Tablespaces { get; } = [];
    public long Bytes { get; private set; }

    public void Gather()
    {
        Walk(directory, SnapshotLayout.Data, "");
        var links = Path.Combine(directory, "pg_tblspc");
        foreach (var link in new DirectoryInfo(links).EnumerateDirectories())
        {
            // An in-place tablespace (15 and later, for tests) is a plain directory, and was walked already.
            if (link.ResolveLinkTarget(returnFinalTarget: true) is not { } target)
                continue;
            Tablespaces[link.Name] = target.FullName;
            Walk(target.FullName, $"{SnapshotLayout.Tablespaces}/{link.Name}", "tablespace/");
        }
        // Last, as pg_basebackup does: recovery must not trust a control file that is older than what it describes.
        Found.Sort((a, b) => a.Name.EndsWith("/pg_control", StringComparison.Ordinal)
            .CompareTo(b.Name.EndsWith("/pg_control", StringComparison.Ordinal)));
    }

    private void Walk(string folder, string name, string below)
    {
        var empty = true;
        foreach (var entry in Entries(folder))
        {
            var path = below + entry.Name;
            if (Skips(path, entry.Name))
                continue;
            if (entry is DirectoryInfo inner)
            {
                if (inner.LinkTarget is not null && below == "pg_tblspc/")
                    continue;
                empty = false;
                if (running && (path == "pg_wal" || Emptied.Contains(path)))
                    Directories.Add($"{name}/{entry.Name}");
                else
                    Walk(inner.FullName, $"{name}/{entry.Name}", path + "/");
                continue;
            }
            empty = false;
            Found.Add((entry.FullName, $"{name}/{entry.Name}"));
            Bytes += ((FileInfo)entry).Length;
        }
        if (empty)
            Directories.Add(name);
    }

    private static IReadOnlyList<FileSystemInfo> Entries(string folder)
    {
        try
        {
            return [.. new DirectoryInfo(folder).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            // A database was dropped while we walked; its WAL tells the copy.
            return [];
        }
    }

    private bool Skips(string path, string name) =>
        path is "postmaster.pid" or "postmaster.opts" or "backup_label.old" or "tablespace_map.old" or "current_logfiles"
        || name == "pg_internal.init"
        || name.StartsWith("pgsql_tmp", StringComparison.Ordinal)
        || (running && (path is "backup_label" or "tablespace_map" or "backup_manifest" || TemporaryRelation().IsMatch(name)));

    [GeneratedRegex(@"^t\d+_\d+(_[a-z]+)?(\.\d+)?$")]
    private static partial Regex TemporaryRelation();
}
