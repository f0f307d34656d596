using Kintsugi.Configuration;
using Kintsugi.State;

namespace Kintsugi.Hosting;

/// <summary>What was asked for is known and well said, and cannot be as things stand.</summary>
public sealed class NotNowException(string message) : Exception(message);

/// <summary>The servers under care and how they stand.</summary>
public interface IKintsugiTargets
{
    IReadOnlyList<TargetStatus> All { get; }
}

/// <param name="Reachable">Null before the first look.</param>
public sealed record TargetStatus(
    string Name, Mode Mode, bool? Reachable, string? Reason, string? SystemIdentifier, string? Version, IReadOnlyList<string> Databases,
    DateTimeOffset? LastHealthCheck);

/// <summary>The jobs: what is scheduled, what ran, and the switches a person has.</summary>
public interface IJobBoard
{
    ValueTask<IReadOnlyList<ScheduledJob>> List(CancellationToken cancellationToken);
    IReadOnlyList<JobRun> History(int newest);

    /// <param name="target">Null means every target.</param>
    /// <param name="argument">Of db.index_check: one table; of db.repair: the case.</param>
    /// <exception cref="ArgumentException">There is no such job, target, table or case.</exception>
    /// <exception cref="NotNowException">It is a repair, and repairs are paused.</exception>
    ValueTask Run(string job, string? target, string? argument, CancellationToken cancellationToken);
    ValueTask Pause(string job, string because, string by, CancellationToken cancellationToken);
    ValueTask Resume(string job, CancellationToken cancellationToken);

    /// <param name="target">Null means every target.</param>
    /// <param name="argument">Of db.repair: the case.</param>
    /// <returns>False when no such job was running.</returns>
    ValueTask<bool> Cancel(string job, string? target, string? argument, string by, CancellationToken cancellationToken);

    /// <summary>The services that work with the same ledger now.</summary>
    IReadOnlyList<WorkingNode> Nodes { get; }

    /// <summary>Stops all repairs until then; null until they are resumed.</summary>
    void PauseRepairs(DateTimeOffset? until, string because, string by);
    void ResumeRepairs();
    Switch? RepairPause { get; }
}

public sealed record ScheduledJob(string Job, string Target, TimeSpan Interval, DateTimeOffset? Next, DateTimeOffset? Previous, Switch? Paused);

/// <summary>What a person says of cases, and how they are read.</summary>
public interface ICaseDesk
{
    ValueTask<IReadOnlyList<CaseRow>> List(CancellationToken cancellationToken);

    /// <returns>Null when there is no such case.</returns>
    ValueTask<(CaseRow Row, IReadOnlyList<Fact> Facts)?> Show(string id, CancellationToken cancellationToken);

    /// <param name="word">approved, rejected, retried, accepted or acknowledged (<see cref="Facts"/>).</param>
    /// <param name="plan">For an approval: the hash of the plan that was read; null for the newest.</param>
    /// <exception cref="ArgumentException">There is no such case or no such word.</exception>
    /// <exception cref="NotNowException">There is no plan that could be approved, or it is another one by now.</exception>
    ValueTask Say(string id, string word, string by, string? because, DateTimeOffset? until, string? plan, CancellationToken cancellationToken);

    /// <returns>How many rows were put back.</returns>
    /// <exception cref="ArgumentException">There is no such case.</exception>
    /// <exception cref="NotNowException">Nothing of it is left to be put back, or its server was not reached.</exception>
    ValueTask<int> Undo(string id, string by, CancellationToken cancellationToken);
}
