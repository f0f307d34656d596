using System.Globalization;

namespace Kintsugi.Postgres.Checks.Storage.Cluster;

/// <summary>pg_tblspc: every link leads to a directory of this version, and every tablespace has one.</summary>
internal static class TablespaceExam
{
    /// <param name="view">The cluster.</param>
    /// <param name="known">Tablespaces by the catalog, but for the two that have no link; empty where they cannot be told.</param>
    public static void Look(ClusterView view, IReadOnlyList<(uint Oid, string Name)> known)
    {
        var entries = view.Files.List("pg_tblspc").Select(entry => entry.TrimEnd('/')).ToHashSet();
        // Without its directory the directory is what is missing.
        if (entries.Count > 0 || view.Files.List("").Any(entry => entry.TrimEnd('/') == "pg_tblspc"))
            foreach (var (oid, name) in known)
                if (!entries.Contains(oid.ToString(CultureInfo.InvariantCulture)))
                    view.AccuseCluster($"pg_tblspc/{oid}", $"the link of tablespace {name} is missing: none of its tables can be opened",
                        "stop the server, then kintsugi heal -D DIR looks for the directory that it led to");
        foreach (var entry in view.Files.List("pg_tblspc"))
        {
            var name = entry.TrimEnd('/');
            if (!uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                continue;
            var link = $"pg_tblspc/{name}";
            var inside = view.Files.List(link);
            var version = view.Control is { } control ? $"PG_{view.Patient.Can.Major}_{control.CatalogVersion}/" : null;
            if (inside.Count == 0)
                view.AccuseCluster(link, "the link leads nowhere, or to an empty directory",
                    "mount the volume, or put the tablespace's directory back where the link leads");
            else if (version is not null && !inside.Contains(version))
                view.AccuseCluster(link, $"the tablespace has no directory {version.TrimEnd('/')}: it belongs to another "
                    + $"cluster or version",
                    "let the link lead to this cluster's tablespace");
        }
    }
}
