using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>Looks for directories that hold a tablespace of this version: beside the cluster, beside its other tablespaces, and on each mounted volume, not deep.</summary>
internal sealed class TablespaceSearch(DataDirectory directory, string version)
{
    private const int Depth = 3, MostFolders = 20_000;
    private static readonly string[] NotFiles = ["/proc", "/sys", "/dev", "/run"];

    private int seen;

    /// <param name="told">Where something says that one lies.</param>
    /// <returns>Directories that no link of the cluster leads to.</returns>
    public IReadOnlyList<string> Places(IReadOnlyCollection<string> told)
    {
        var links = new DirectoryInfo(Path.Combine(directory.Path, "pg_tblspc")).EnumerateFileSystemInfos()
            .Select(link => link.ResolveLinkTarget(returnFinalTarget: true)?.FullName).OfType<string>().ToList();
        var found = new HashSet<string>(told.Where(IsOne));
        List<string> roots = [Path.GetDirectoryName(directory.Path.TrimEnd('/'))!, .. links.Select(link => Path.GetDirectoryName(link)!), .. told.Select(place => Path.GetDirectoryName(place)!),
            .. DriveInfo.GetDrives().Select(drive => drive.RootDirectory.FullName).Where(root => !Array.Exists(NotFiles, root.StartsWith))];
        foreach (var root in roots.OfType<string>().Distinct())
            Walk(root, Depth, found);
        found.ExceptWith(links);
        return [.. found.Order(StringComparer.Ordinal)];
    }

    private bool IsOne(string place) => Directory.Exists(Path.Combine(place, version));

    private void Walk(string folder, int depth, HashSet<string> found)
    {
        if (seen++ > MostFolders || Array.Exists(NotFiles, folder.StartsWith))
            return;
        if (IsOne(folder))
        {
            found.Add(folder);
            return;
        }
        if (depth == 0)
            return;
        try
        {
            foreach (var inner in new DirectoryInfo(folder).EnumerateDirectories())
                if (inner.LinkTarget is null && inner.FullName != directory.Path)
                    Walk(inner.FullName, depth - 1, found);
        }
        catch (Exception closed) when (closed is UnauthorizedAccessException or IOException)
        {
            // Not ours to look into, or gone meanwhile: what lies there is not found, and a person is told what was.
            return;
        }
    }
}
