namespace Kintsugi;

/// <summary>The only thing that writes to a patient. One healer at a time is let in.</summary>
public interface IOperatingRoom
{
    /// <summary>
    /// Takes the two locks on the patient and re-checks that it is the same server, not in recovery and not behind a pooler.
    /// </summary>
    /// <exception cref="HealingException">Another healer is at work (which may pass), or the patient must not be operated on at all.</exception>
    ValueTask<IOperation> Enter(string database, CancellationToken cancellationToken);
}

/// <summary>The locks are held until it is disposed.</summary>
public interface IOperation : IAsyncDisposable
{
    /// <summary>Looks for what stands against the plan now: long transactions, room on disk, prepared transactions, running backups.</summary>
    /// <returns>Null, or what is awaited.</returns>
    ValueTask<string?> Preflight(Plan plan, CancellationToken cancellationToken);

    /// <summary>What must be remembered before this step, so that its debris can be told from what was there before.</summary>
    ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, CancellationToken cancellationToken);

    /// <exception cref="HealingException">The step failed; its leftovers are for <see cref="CleanUp"/>.</exception>
    ValueTask<StepResult> Run(Plan plan, Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken);

    /// <summary>Removes what a failed or killed step left behind, by what was remembered before it.</summary>
    /// <returns>What was removed, or null when nothing was left.</returns>
    ValueTask<string?> CleanUp(Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken);
}

public sealed record StepResult(string? Note = null)
{
    public long RowsQuarantined { get; init; }
    public long RowsChanged { get; init; }
    public long RowsLost { get; init; }
}

/// <summary>A step, a lock or a snapshot could not be had.</summary>
/// <param name="mayPass">Worth another attempt: lock not available, serialization, connection. Anything else is escalated at once.</param>
public sealed class HealingException(string message, bool mayPass, Exception? inner = null) : Exception(message, inner)
{
    public bool MayPass { get; } = mayPass;

    /// <summary>What the failed step left behind is still there: nothing may be begun before it is removed, or it could not be told from other things.</summary>
    public bool LeavesDebris { get; init; }

    /// <summary>
    /// The repair was kept from working, which says nothing against it: a lock was held, another healer was at work. A lost server counts, for the
    /// repair may have been what brought it down.
    /// </summary>
    public bool WasKeptOut => NotLetIn || (MayPass && InnerException switch
    {
        // Lock not available, serialization failure, deadlock.
        PatientException refused => refused.SqlState is "55P03" or "40001" or "40P01",
        HealingException failure => failure.WasKeptOut,
        _ => true,
    });

    /// <summary>
    /// The server has no disk, memory or connection left (class 53): trying again at once would only take what somebody makes free. The next run may find it
    /// otherwise.
    /// </summary>
    public bool LacksRoom => InnerException switch
    {
        PatientException refused => refused.SqlState?.StartsWith("53", StringComparison.Ordinal) == true,
        HealingException failure => failure.LacksRoom,
        _ => false,
    };

    /// <summary>The patient must not be operated on at all: another server, a standby. Nothing was tried, and the next run may find it otherwise.</summary>
    public bool NotLetIn { get; init; }
}

/// <summary>Takes restorable copies of what a plan alters.</summary>
public interface ISnapshots
{
    /// <summary>A snapshot of the whole cluster stops the server: whoever holds a session enters again after it.</summary>
    bool EndsSessions => false;

    /// <returns>The snapshot's id, or null for a plan that needs none beyond quarantine.</returns>
    /// <exception cref="HealingException">No room, no rights, or the copy does not verify: no snapshot, no repair.</exception>
    ValueTask<string?> Take(HealingCase healing, Plan plan, Patient patient, CancellationToken cancellationToken);
}
