namespace Kintsugi;

/// <summary>What the owner wants done about a fault class without being asked.</summary>
public enum PolicyChoice
{
    Auto,
    Approve,
    Never,
}

/// <summary>What may happen without a person.</summary>
public sealed record Policy
{
    /// <summary>False observes: everything is planned and shown, nothing is done.</summary>
    public bool Heal { get; init; } = true;

    /// <summary>Consent was given: --yes, a yes at the prompt, or the service's own mode.</summary>
    public bool Consent { get; init; }

    /// <summary>The harshest grade that this run allows by itself.</summary>
    public Grade Allow { get; init; } = Grade.Lossless;
    public IReadOnlyDictionary<string, PolicyChoice> ByFault { get; init; } = new Dictionary<string, PolicyChoice>();
    public int MaxAttempts { get; init; } = 3;

    /// <summary>Only the owner's configuration can turn it off, and that is recorded; lossy plans take a snapshot all the same.</summary>
    public bool SnapshotBeforeRepair { get; init; } = true;
    public RepairBudget Budget { get; init; } = new();

    /// <summary>How much may be repaired over time without a person; null is no limit, for a run that a person started.</summary>
    public SpendingLimits? Limits { get; init; }

    /// <summary>Why nothing may be repaired at all (<see cref="CircuitBreaker"/>), or null. No approval stands against it.</summary>
    public string? Stopped { get; init; }

    /// <summary>When heavy locks are allowed; none means always.</summary>
    public IReadOnlyList<MaintenanceWindow> Windows { get; init; } = [];

    /// <summary>Why rows of this case may not be changed yet; what changes no row, and an approved plan, go on.</summary>
    public string? RowsHeld { get; init; }
}

/// <summary>How much may change without a person, per case.</summary>
public sealed record RepairBudget
{
    public long RowsPerCase { get; init; } = 1000;

    /// <summary>The share of the table, 0 to 1.</summary>
    public double SharePerCase { get; init; } = 0.01;

    /// <summary>min(1,000 rows, max(10, 1 % of the table)).</summary>
    public long RowsFor(double tableRows) =>
        Math.Min(RowsPerCase, Math.Max(10, (long)(SharePerCase * Math.Max(0, tableRows))));
}

/// <summary>A weekly span of local time in which heavy locks may be held.</summary>
/// <param name="Days">Days on which it begins.</param>
/// <param name="To">At or before <paramref name="From"/> means on the next day.</param>
public sealed record MaintenanceWindow(IReadOnlySet<DayOfWeek> Days, TimeOnly From, TimeOnly To, TimeZoneInfo Zone)
{
    public bool IsOpen(DateTimeOffset now)
    {
        var local = TimeZoneInfo.ConvertTime(now, Zone);
        var time = TimeOnly.FromDateTime(local.DateTime);
        if (From < To)
            return Days.Contains(local.DayOfWeek) && time >= From && time < To;
        var yesterday = local.AddDays(-1).DayOfWeek;
        return (Days.Contains(local.DayOfWeek) && time >= From) || (Days.Contains(yesterday) && time < To);
    }
}

/// <summary>What a person said about a case.</summary>
/// <param name="ApprovedPlan">The hash of the plan that was approved, or null.</param>
/// <param name="Accepted">The finding is known and wanted as it is, until then; null when not.</param>
public sealed record PersonsWord(string? ApprovedPlan = null, bool Rejected = false, DateTimeOffset? Accepted = null);

public abstract record Judgement
{
    private Judgement()
    {
    }

    public sealed record Proceed : Judgement;

    public sealed record Wait(string Reason) : Judgement;

    public sealed record Forbid(string Reason) : Judgement;
}
