using Kintsugi.Rules;

namespace Kintsugi.Configuration;

/// <summary>Whether findings are only shown or also mended.</summary>
public enum Mode
{
    /// <summary>Everything is planned and shown, nothing is done.</summary>
    Observe,
    Heal,
}

/// <summary>All that the owner configured, with defaults where nothing was said.</summary>
public sealed record KintsugiConfiguration
{
    public required AutoHealing AutoHealing { get; init; }

    /// <summary>The servers under care. Without <c>targets</c> there is one, named "main", whose connection may be absent:
    /// flags and <c>PG*</c> then say where.</summary>
    public required IReadOnlyList<TargetConfiguration> Targets { get; init; }
    public required BudgetConfiguration Budget { get; init; }
    public required BreakerLimits Breaker { get; init; }

    /// <summary>When heavy locks are allowed; none means always.</summary>
    public required IReadOnlyList<MaintenanceWindow> Windows { get; init; }
    public required SnapshotConfiguration Snapshots { get; init; }
    public required AlertConfiguration Alerts { get; init; }
    public required LedgerConfiguration Ledger { get; init; }
    public required JobConfiguration Jobs { get; init; }
    public required HttpConfiguration Http { get; init; }
    public required LoggingConfiguration Logging { get; init; }
    public required TelemetryConfiguration Telemetry { get; init; }

    /// <summary>The policy of the unattended service for one fault at one place: what loses nothing runs; rows are
    /// changed where the owner wrote <c>auto</c>, or where writing an orphan_cleanup_interval was consent to quarantine orphans
    /// of declared foreign keys.</summary>
    public Policy ServicePolicyFor(TargetConfiguration target, FaultClass fault, string? database, string? schema, string? table)
    {
        var chosen = target.Policy.ChoiceFor(fault.Id, database, schema, table);
        var consented = fault == Faults.RowOrphaned && AutoHealing.OrphanCleanupConsented;
        var reversible = chosen == PolicyChoice.Auto || (chosen is null && consented);
        return PolicyFor(target, database, schema, table) with
        {
            Consent = true,
            Allow = reversible ? Grade.Reversible : Grade.Lossless,
        };
    }

    /// <summary>The judge's policy for one place, with neither consent nor a wider grade: those are given by the run.</summary>
    public Policy PolicyFor(TargetConfiguration target, string? database, string? schema, string? table) => new()
    {
        Heal = target.Mode == Mode.Heal && AutoHealing.Enabled,
        ByFault = target.Policy.ChoicesFor(database, schema, table),
        MaxAttempts = AutoHealing.MaxAutoRepairAttempts,
        SnapshotBeforeRepair = AutoHealing.SnapshotBeforeRepair,
        Budget = Budget.PerCase,
        Limits = Budget.Limits,
        Windows = Windows,
    };
}

/// <summary>The brief's block <c>database.auto_healing</c>.</summary>
public sealed record AutoHealing
{
    /// <summary>False observes and repairs nothing, whatever else is configured.</summary>
    public bool Enabled { get; init; } = true;
    public TimeSpan HealthCheckInterval { get; init; } = TimeSpan.FromMinutes(10);
    public TimeSpan IndexCheckInterval { get; init; } = TimeSpan.FromDays(7);
    public TimeSpan OrphanCleanupInterval { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The owner wrote an orphan_cleanup_interval beside <c>enabled: true</c>: consent to quarantine orphans of
    /// declared foreign keys within the budget. A default alone is no consent.</summary>
    public bool OrphanCleanupConsented { get; init; }
    public bool SnapshotBeforeRepair { get; init; } = true;
    public int MaxAutoRepairAttempts { get; init; } = 3;
    public bool AlertOnFailure { get; init; } = true;
}

/// <summary>One server under care.</summary>
/// <param name="Name">How it is called in results and on the command line.</param>
/// <param name="Connection">A connection URI or keyword string; null leaves it to flags and <c>PG*</c>.</param>
/// <param name="Password">A password that is kept apart from the connection.</param>
/// <param name="Databases">Patterns as in psql: <c>*</c> is every database that accepts connections.</param>
/// <param name="DataDirectory">The server's data directory, when its files can be read from here.</param>
public sealed record TargetConfiguration(
    string Name,
    Secret? Connection,
    Secret? Password,
    IReadOnlyList<string> Databases,
    string? DataDirectory,
    Mode Mode,
    PolicyConfiguration Policy,
    ConsistencyRules Consistency);

/// <summary>How much may change without a person: per case, and over time for the whole service.</summary>
public sealed record BudgetConfiguration(RepairBudget PerCase, int CasesPerHour, long RowsPerDay)
{
    public int? CasesPerDay { get; init; }
    public long? RowsPerHour { get; init; }
    public long? BytesPerHour { get; init; }
    public long? BytesPerDay { get; init; }

    public SpendingLimits Limits => new()
    {
        CasesPerHour = CasesPerHour,
        CasesPerDay = CasesPerDay,
        RowsPerHour = RowsPerHour,
        RowsPerDay = RowsPerDay,
        BytesPerHour = BytesPerHour,
        BytesPerDay = BytesPerDay,
    };
}

/// <summary>How a snapshot is taken.</summary>
public enum SnapshotProvider
{
    /// <summary>Copies of the files concerned, or of the whole cluster.</summary>
    Copy,

    /// <summary>The server is stopped, its files are copied, and it is started again.</summary>
    StopCopyStart,

    /// <summary>A command of the owner's, for storage that takes its own snapshots.</summary>
    Command,
}

/// <param name="Directory">Null means below the state directory.</param>
/// <param name="Command">Set exactly when the provider is a command.</param>
/// <param name="KeepLast">Always kept, whatever their age.</param>
/// <param name="KeepFor">Older ones go, except the last; null keeps them.</param>
/// <param name="KeepBytes">Oldest go first above this size, except the last; null sets no limit.</param>
public sealed record SnapshotConfiguration(
    string? Directory, SnapshotProvider Provider, string? Command, int KeepLast, TimeSpan? KeepFor, long? KeepBytes)
{
    /// <summary>The owner's commands for <see cref="SnapshotProvider.StopCopyStart"/>; null for pg_ctl.</summary>
    public string? Stop { get; init; }
    public string? Start { get; init; }

    /// <summary>Bytes a second that copies write at most; null for as fast as the disk goes.</summary>
    public long? Rate { get; init; }
}

/// <param name="OrphanedRowsWarning">More orphaned rows than this raise a warning.</param>
/// <param name="DeadMan">A URL that is called after each finished look; null calls nobody.</param>
public sealed record AlertConfiguration(IReadOnlyList<Receiver> Receivers, long OrphanedRowsWarning, Secret? DeadMan = null);

/// <summary>Where alerts go.</summary>
public abstract record Receiver(string Name, Severity Least)
{
    /// <param name="Secret">Signs the body (HMAC-SHA256); null sends it unsigned.</param>
    public sealed record Webhook(string Name, Severity Least, Secret Url, Secret? Secret) : Receiver(Name, Least);

    public sealed record Slack(string Name, Severity Least, Secret Url) : Receiver(Name, Least);

    public sealed record PagerDuty(string Name, Severity Least, Secret RoutingKey) : Receiver(Name, Least);

    public sealed record Alertmanager(string Name, Severity Least, Uri Url) : Receiver(Name, Least);

    public sealed record Email(string Name, Severity Least, EmailSettings Settings) : Receiver(Name, Least);

    public sealed record Log(string Name, Severity Least) : Receiver(Name, Least);
}

/// <param name="Server">host:port of the mail server.</param>
public sealed record EmailSettings(IReadOnlyList<string> To, string From, string Server, string? User, Secret? Password);

/// <summary>Where cases and their facts are kept.</summary>
/// <param name="Sqlite">A file; null with <paramref name="Postgres"/> null means ledger.db in the state directory.</param>
/// <param name="Postgres">A connection to a database that is not under care; needed for several nodes.</param>
public sealed record LedgerConfiguration(string? Sqlite, Secret? Postgres)
{
    /// <summary>The owner knows that the ledger lies on a server that is under care, and goes down with it.</summary>
    public bool AllowOnTarget { get; init; }

    /// <summary>What a node holds is free for the others when it was silent for so long.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(10);
}

/// <param name="CriticalIndexes">Looked at in every health check; none means the primary keys of the most used tables.</param>
public sealed record JobConfiguration(TimeSpan ChecksumVerifyInterval, IReadOnlyList<ObjectName> CriticalIndexes)
{
    /// <summary>Sessions that a look has at its target, over all nodes: one is the leading node's, each other lets a node help.</summary>
    public int Sessions { get; init; } = 2;

    /// <summary>Pieces of a look that read at least so many bytes may be done by another node.</summary>
    public long UnitSize { get; init; } = 256L << 20;
}

public enum ApiRole
{
    Viewer,
    Operator,
    Admin,
}

/// <param name="Sha256">Of the key, in lower-case hexadecimal; the key itself is written nowhere.</param>
public sealed record ApiKey(string Name, string Sha256, ApiRole Role);

/// <param name="Address">An IP address, or null for every address of the machine.</param>
public sealed record ListenEndpoint(System.Net.IPAddress? Address, int Port);

/// <summary>An issuer whose tokens are taken beside the keys.</summary>
/// <param name="RoleClaim">The claim whose values say what its holder may do.</param>
/// <param name="Roles">The values that make one a viewer, an operator, an admin; a token with none of them is refused.</param>
public sealed record OidcConfiguration(
    Uri Issuer, string Audience, string NameClaim, string RoleClaim, IReadOnlyList<(string Value, ApiRole Role)> Roles);

public sealed record HttpConfiguration(ListenEndpoint Listen, IReadOnlyList<ApiKey> ApiKeys)
{
    public OidcConfiguration? Oidc { get; init; }
}

public enum OtlpProtocol
{
    Http,
    Grpc,
}

/// <param name="Otlp">Where metrics and traces are sent; null sends nothing.</param>
/// <param name="Headers">name=value pairs with commas between them: they often carry a key.</param>
/// <param name="Interval">How often metrics are sent; traces go in batches.</param>
public sealed record TelemetryConfiguration(Uri? Otlp, OtlpProtocol Protocol, Secret? Headers, TimeSpan Interval);

public enum LoggingLevel
{
    Trace,
    Debug,
    Information,
    Warning,
    Error,
    Critical,
}

public enum LoggingFormat
{
    Text,
    Json,
}

public sealed record LoggingConfiguration(LoggingLevel Level, LoggingFormat Format);
