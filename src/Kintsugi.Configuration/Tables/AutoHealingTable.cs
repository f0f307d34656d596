using Kintsugi.Configuration.Shapes;

namespace Kintsugi.Configuration.Tables;

/// <summary><c>database:</c></summary>
internal static class AutoHealingTable
{
    private static readonly AutoHealing Default = new();

    private static readonly Key<bool> Enabled = new(
        "enabled", Is.Flag, "Whether anything is repaired by the service; false only observes.", Default.Enabled);
    private static readonly Key<TimeSpan> HealthCheckInterval = new(
        "health_check_interval", Is.Duration, "How often counters and critical indexes are looked at.", Default.HealthCheckInterval);
    private static readonly Key<TimeSpan> IndexCheckInterval = new(
        "index_check_interval", Is.Duration, "How often every index is proven against its table.", Default.IndexCheckInterval);
    private static readonly Key<TimeSpan> OrphanCleanupInterval = new(
        "orphan_cleanup_interval", Is.Duration,
        "How often references and the owner's rules are checked. Writing it is consent to quarantine orphans of declared foreign keys.",
        Default.OrphanCleanupInterval);
    private static readonly Key<bool> SnapshotBeforeRepair = new(
        "snapshot_before_repair", Is.Flag, "Whether what a plan alters is copied first.", Default.SnapshotBeforeRepair);
    private static readonly Key<int> MaxAttempts = new(
        "max_auto_repair_attempts", Is.Whole(1, 100), "Attempts on one case before it is handed to a person.",
        Default.MaxAutoRepairAttempts);
    private static readonly Key<bool> AlertOnFailure = new(
        "alert_on_failure", Is.Flag, "Whether a case handed to a person raises a critical alert.", Default.AlertOnFailure);

    private static readonly Mapping<AutoHealing> Block = new(
        [Enabled, HealthCheckInterval, IndexCheckInterval, OrphanCleanupInterval, SnapshotBeforeRepair, MaxAttempts, AlertOnFailure],
        values => new AutoHealing
        {
            Enabled = values.Get(Enabled),
            HealthCheckInterval = values.Get(HealthCheckInterval),
            IndexCheckInterval = values.Get(IndexCheckInterval),
            OrphanCleanupInterval = values.Get(OrphanCleanupInterval),
            OrphanCleanupConsented = values.Has(Enabled) && values.Get(Enabled) && values.Has(OrphanCleanupInterval),
            SnapshotBeforeRepair = values.Get(SnapshotBeforeRepair),
            MaxAutoRepairAttempts = values.Get(MaxAttempts),
            AlertOnFailure = values.Get(AlertOnFailure),
        });

    private static readonly Key<AutoHealing> AutoHealing = new("auto_healing", Block, "Checks, repairs and their pace.", Default);
    private static readonly Key<Secret?> Connection = new(
        "connection", SecretText.Any!, "The one server under care: a connection URI or keyword string. For several, use targets.");
    private static readonly Key<Secret?> Password = new(
        "password", SecretText.Any!, "The password, when it is kept apart from the connection.");
    private static readonly Key<IReadOnlyList<string>> Databases = new(
        "databases", TargetTable.Patterns, "Which databases: patterns as in psql.", ["*"]);
    private static readonly Key<string?> DataDirectory = new(
        "data_directory", Is.Path!, "The server's data directory, when its files can be read from here.");

    /// <summary>The healing block, and the target that is meant when <c>targets</c> is absent.</summary>
    public static readonly Mapping<DatabaseSection> Shape = new(
        [AutoHealing, Connection, Password, Databases, DataDirectory],
        values => new(
            values.Get(AutoHealing), values.Get(Connection), values.Get(Password), values.Get(Databases), values.Get(DataDirectory),
            NamesATarget: values.Has(Connection) || values.Has(Databases) || values.Has(DataDirectory) || values.Has(Password)));
}

/// <param name="NamesATarget">Whether it says anything about which server is meant.</param>
internal sealed record DatabaseSection(
    AutoHealing AutoHealing,
    Secret? Connection,
    Secret? Password,
    IReadOnlyList<string> Databases,
    string? DataDirectory,
    bool NamesATarget);
