using Kintsugi.Configuration.Shapes;
using Kintsugi.Rules;

namespace Kintsugi.Configuration.Tables;

/// <summary>The whole file.</summary>
internal static class RootTable
{
    private static readonly Key<DatabaseSection> Database = new(
        "database", AutoHealingTable.Shape, "Healing, and the server under care when there is one.",
        new(new(), null, null, ["*"], null, NamesATarget: false));
    private static readonly Key<IReadOnlyList<TargetSection>?> Targets = new(
        "targets", TargetTable.Shape!, "The servers under care, when there are several.");
    private static readonly Key<Mode> Mode = new(
        "mode", TargetTable.ModeShape, "observe shows what would be done, heal does it.", Configuration.Mode.Heal);
    private static readonly Key<PolicyConfiguration> Policy = new(
        "policy", PolicyTable.Shape, "What may happen without a person.", PolicyConfiguration.Default);
    private static readonly Key<BudgetConfiguration> Budget = new(
        "budget", BudgetTable.Shape, "How much may change without a person.", BudgetTable.Default);
    private static readonly Key<BreakerLimits> Breaker = new(
        "breaker", BreakerTable.Shape, "From how much new damage to files on nothing is repaired until a person has looked.", BreakerTable.Default);
    private static readonly Key<IReadOnlyList<MaintenanceWindow>> Windows = new(
        "windows", WindowTable.Shape, "When heavy locks are allowed; left out, always.", []);
    private static readonly Key<SnapshotConfiguration> Snapshots = new(
        "snapshots", SnapshotTable.Shape, "Where snapshots are kept and how long.", SnapshotTable.Default);
    private static readonly Key<AlertConfiguration> Alerts = new(
        "alerts", AlertTable.Shape, "Who is told.", new([], 1000));
    private static readonly Key<LedgerConfiguration> Ledger = new(
        "ledger", LedgerTable.Shape, "Where cases are recorded.", LedgerTable.Default);
    private static readonly Key<JobConfiguration> Jobs = new("jobs", JobTable.Shape, "Further jobs.", JobTable.Default);
    private static readonly Key<HttpConfiguration> Http = new("http", HttpTable.Shape, "The API and the metrics.", HttpTable.Default);
    private static readonly Key<LoggingConfiguration> Logging = new(
        "logging", LoggingTable.Shape, "Kintsugi's own log.", LoggingTable.Default);
    private static readonly Key<TelemetryConfiguration> Telemetry = new(
        "telemetry", TelemetryTable.Shape, "Metrics and traces for a collector.", TelemetryTable.Default);
    private static readonly Key<ConsistencyRules> Consistency = new(
        "consistency", ConsistencyTable.Shape, "The owner's own rules.", ConsistencyRules.None);

    public static readonly Mapping<KintsugiConfiguration> Shape = new(
        [Database, Targets, Mode, Policy, Budget, Breaker, Windows, Snapshots, Alerts, Ledger, Jobs, Http, Logging, Telemetry, Consistency], Build);

    private static KintsugiConfiguration Build(GivenValues values)
    {
        var database = values.Get(Database);
        var targets = values.Get(Targets);
        if (targets is not null && database.NamesATarget)
        {
            values.Mistake(Targets, "the server is named twice, here and under database; keep one of them");
        }

        if (targets is { Count: 0 })
        {
            values.Mistake(Targets, "the list is empty; name a target, or remove the key to use flags and PG* variables");
        }

        return new()
        {
            AutoHealing = database.AutoHealing,
            Targets = targets is null ? [Only(values, database)] : [.. targets.Select(target => One(values, target))],
            Budget = values.Get(Budget),
            Breaker = values.Get(Breaker),
            Windows = values.Get(Windows),
            Snapshots = values.Get(Snapshots),
            Alerts = values.Get(Alerts),
            Ledger = values.Get(Ledger),
            Jobs = values.Get(Jobs),
            Http = values.Get(Http),
            Logging = values.Get(Logging),
            Telemetry = values.Get(Telemetry),
        };
    }

    private static TargetConfiguration Only(GivenValues values, DatabaseSection database) => new(
        TargetTable.OnlyTarget, database.Connection, database.Password, database.Databases, database.DataDirectory,
        values.Get(Mode), values.Get(Policy), values.Get(Consistency));

    private static TargetConfiguration One(GivenValues values, TargetSection target) => new(
        target.Name, target.Connection, target.Password, target.Databases, target.DataDirectory,
        target.Mode ?? values.Get(Mode), target.Policy ?? values.Get(Policy), target.Consistency ?? values.Get(Consistency));
}
