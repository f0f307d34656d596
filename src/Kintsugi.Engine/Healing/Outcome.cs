namespace Kintsugi;

/// <summary>How a case stands after a run.</summary>
public abstract record Outcome
{
    private Outcome()
    {
    }

    /// <summary>The accusing check acquitted before anything was touched.</summary>
    /// <param name="Reason">Set where an earlier run had left the case to a person.</param>
    public sealed record Transient(string? Reason = null) : Outcome;

    public sealed record Healed(Plan Plan, string? Snapshot) : Outcome;

    /// <summary>Consent, a maintenance window or a blocker is awaited.</summary>
    public sealed record Waiting(Plan Plan, string Reason) : Outcome;

    /// <summary>The server went away meanwhile, which says nothing of the case: it is as it was, and the next run goes on with it.</summary>
    public sealed record Postponed(string Reason) : Outcome;

    /// <summary>A person must decide.</summary>
    public sealed record Escalated(string Reason) : Outcome;

    public string Word => this switch
    {
        Transient => "transient",
        Healed => "healed",
        Waiting or Postponed => "waiting",
        _ => "escalated",
    };

    public string? Why => this switch
    {
        Transient it => it.Reason,
        Waiting it => it.Reason,
        Postponed it => it.Reason,
        Escalated it => it.Reason,
        _ => null,
    };
}

/// <summary>A case and everything a run did about it.</summary>
public sealed record CaseReport(HealingCase Case, Outcome Outcome)
{
    public Plan? Plan { get; init; }
    public int Attempts { get; init; }
    public string? Snapshot { get; init; }
    public IReadOnlyList<StepReport> Steps { get; init; } = [];
    public long RowsQuarantined { get; init; }
    public long RowsChanged { get; init; }
    public long RowsLost { get; init; }
    public TimeSpan Duration { get; init; }
}

/// <param name="Note">What the runner has to tell: leftovers removed, rows moved, who blocked.</param>
public sealed record StepReport(Step Step, bool Done, string? Note, TimeSpan Duration);
