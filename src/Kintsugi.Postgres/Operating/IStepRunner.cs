using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>Knows how to do one kind of step, how to recognise its debris, and how to remove that. Repeating it must be safe.</summary>
public interface IStepRunner
{
    /// <summary>The name in plans.</summary>
    string Kind { get; }

    /// <summary>What tells our debris from what was there before; recorded before the step is begun.</summary>
    ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken);

    /// <exception cref="PatientException">The server refused; the operation decides whether another try may help.</exception>
    /// <exception cref="HealingException">The step's own conditions do not hold any more.</exception>
    ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken);

    /// <returns>What was removed, or null when nothing was left.</returns>
    ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken);
}

/// <param name="Session">Holds the lock on the patient, and executes the step.</param>
/// <param name="Watch">Opens sessions that look while the step runs.</param>
public sealed record StepContext(
    Plan Plan, Step Step, IReadOnlyDictionary<string, string> Remembered, WriteSession Session, SessionFactory Watch, TimeProvider Clock);
