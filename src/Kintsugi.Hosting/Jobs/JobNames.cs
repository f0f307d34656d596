using Kintsugi.Configuration;
using Quartz;

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

    /// <summary>The switch that stops one job.</summary>
    public static string SwitchOf(string job) => $"job:{job}";

    public static IReadOnlyList<string> All { get; } = [HealthCheck, IndexCheck, OrphanCleanup, ChecksumVerify, Repair];

    internal static IReadOnlyList<(string Job, TimeSpan Interval)> Periodic(KintsugiConfiguration configuration) =>
    [
        (HealthCheck, configuration.AutoHealing.HealthCheckInterval),
        (IndexCheck, configuration.AutoHealing.IndexCheckInterval),
        (OrphanCleanup, configuration.AutoHealing.OrphanCleanupInterval),
        (ChecksumVerify, configuration.Jobs.ChecksumVerifyInterval),
    ];

    /// <summary>One job of Quartz for each case: its key keeps a case from being treated twice at once.</summary>
    internal static JobKey OfCase(string target, string caseId) => new($"{CasePrefix}{caseId}", target);

    internal static bool IsCase(JobKey key) => key.Name.StartsWith(CasePrefix, StringComparison.Ordinal);

    private const string CasePrefix = "case-";
}
