namespace Kintsugi;

/// <summary>What one scrub is asked to do.</summary>
public sealed record ScrubSettings
{
    public Depth Depth { get; init; } = Depth.Standard;

    /// <summary>Workers, each with a session of its own.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>After this, what is left is Unchecked.</summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>Leave out what provably looks as it did when it was proven (<see cref="Bodies"/>).</summary>
    public bool Incremental { get; init; }
    public IReadOnlySet<string> Only { get; init; } = new HashSet<string>();
    public IReadOnlySet<string> Skip { get; init; } = new HashSet<string>();

    /// <summary>Which relations are meant; null for all. A narrowed scrub leaves out what concerns a whole database.</summary>
    public Func<Relation, bool>? Includes { get; init; }

    /// <summary>Only these databases and nothing of the whole server; null for everything that the source has.</summary>
    public IReadOnlySet<string>? Databases { get; init; }

    public bool Wants(ICheck check) => check.Depth <= Depth && (Only.Count == 0 || Only.Contains(check.Id)) && !Skip.Contains(check.Id);
}

/// <summary>One examination and what came of it.</summary>
public sealed record Examination(string Check, Target Target, Verdict Verdict, TimeSpan Duration)
{
    /// <summary>The earlier proof that this answer rests on; null where it was looked at now.</summary>
    public Carried? Carried { get; init; }

    /// <summary>What the files looked like under this proof, where a later scrub may compare.</summary>
    public string? Body { get; init; }
}

/// <summary>An earlier proof that stands for a look.</summary>
public sealed record Carried(DateTimeOffset At, string How)
{
    /// <summary>By the scrub that was interrupted and that this one goes on with.</summary>
    public const string Resumed = "resumed";

    /// <summary>By the proof of a repair, right before.</summary>
    public const string Repaired = "repaired";

    /// <summary>No page of its files, and nothing else that the answer follows from, has changed since.</summary>
    public const string Unchanged = "unchanged";
}

/// <summary>Everything that one scrub saw.</summary>
public sealed record ScrubReport(DateTimeOffset Started, DateTimeOffset Finished, IReadOnlyList<Examination> Examinations)
{
    public IReadOnlyList<Finding> Findings { get; } =
        [.. Examinations.SelectMany(e => (e.Verdict as Verdict.Damaged)?.Findings ?? []).DistinctBy(finding => finding.Id)];

    public int Count<T>()
        where T : Verdict => Examinations.Count(examination => examination.Verdict is T);

    public bool TimeLimitReached { get; init; }

    /// <summary>Database and name of each table that had its turn in a scrub with a time limit.</summary>
    public IReadOnlyList<(string Database, string Table)> Turns { get; init; } = [];

    public int CountCarried(string how) => Examinations.Count(examination => examination.Carried?.How == how);

    /// <summary>The depth at which it ran: a proof is worth that much.</summary>
    public Depth Depth { get; init; } = Depth.Standard;
}

/// <summary>Told while a scrub runs, for progress on a terminal.</summary>
public sealed record ScrubProgress(string Check, string Target, int Done, int Total, TimeSpan Elapsed);
