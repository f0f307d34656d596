namespace Kintsugi.Postgres.Checks.Storage.Cluster;

/// <summary>Directories that are empty as a rule: copies by tools that leave out empty ones lack them, and no server starts on such a copy.</summary>
internal static class DirectoriesExam
{
    /// <summary>A server of 13 to 18 does not start, or fails at its first checkpoint, without one of these.</summary>
    public static IReadOnlyList<string> Needed { get; } =
    [
        "pg_notify", "pg_serial", "pg_snapshots", "pg_subtrans", "pg_logical", "pg_logical/snapshots", "pg_logical/mappings", "pg_replslot",
        "pg_tblspc", "pg_twophase", "pg_commit_ts",
    ];

    public static void Look(ClusterView view)
    {
        if (view.Files.Directory is null)
            return;
        foreach (var name in Needed)
        {
            var parent = Path.GetDirectoryName(name)!;
            var inside = view.Files.List(parent);
            if (inside.Count > 0 && !inside.Contains(Path.GetFileName(name) + "/") && !IsLink(view, name))
                view.AccuseCluster(name, "the directory is missing", $"mkdir -m 700 {name} as the server's user, where nothing was in it");
        }
    }

    private static bool IsLink(ClusterView view, string name) => Directory.Exists(Path.Combine(view.Files.Directory!, name));
}
