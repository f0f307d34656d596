using System.Globalization;

namespace Kintsugi.Postgres.Checks.Storage.Cluster;

/// <summary>pg_tblspc: every link leads to a directory of this version.</summary>
internal static class TablespaceExam
{
    public static void Look(ClusterView view)
    {
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
