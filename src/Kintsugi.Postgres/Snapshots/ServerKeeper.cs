namespace Kintsugi.Postgres.Snapshots;

/// <summary>Cluster managers that start a server again by themselves, or fail over from one that was stopped (RULES.md 5).</summary>
internal static class ServerKeeper
{
    private static readonly (string File, string Name)[] Signs =
    [
        ("patroni.dynamic.json", "Patroni"), ("postgresql.base.conf", "Patroni"), ("postgresql-auto-failover.conf", "pg_auto_failover"),
        ("custom.conf", "CloudNativePG"),
    ];

    /// <returns>Its name, or null when none is known to manage that cluster.</returns>
    public static string? Of(string directory, Capabilities server) =>
        Signs.FirstOrDefault(sign => File.Exists(Path.Combine(directory, sign.File))).Name
        ?? (server.Settings.GetValueOrDefault("shared_preload_libraries")?.Contains("repmgr", StringComparison.Ordinal) == true ? "repmgr" : null);
}
