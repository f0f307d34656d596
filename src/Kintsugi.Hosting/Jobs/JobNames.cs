using Kintsugi.Configuration;

namespace Kintsugi.Hosting;

/// <summary>The jobs by the names that people and scripts know.</summary>
public static class JobNames
{
    public const string HealthCheck = "db.health_check";
    public const string IndexCheck = "db.index_check";
    public const string OrphanCleanup = "db.orphan_cleanup";
    public const string ChecksumVerify = "db.checksum_verify";
    public const string Repair = "db.repair";

    /// <summary>The switch that stops all repairs.</summary>
    public const string Repairs = "repairs";

    internal static IReadOnlyList<(string Job, TimeSpan Interval)> Periodic(KintsugiConfiguration configuration) =>
    [
        (HealthCheck, configuration.AutoHealing.HealthCheckInterval),
        (IndexCheck, configuration.AutoHealing.IndexCheckInterval),
        (OrphanCleanup, configuration.AutoHealing.OrphanCleanupInterval),
        (ChecksumVerify, configuration.Jobs.ChecksumVerifyInterval),
    ];
}
