using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>One healer's stay with a patient: the locks are held until it is disposed.</summary>
internal sealed class Operation(SessionFactory factory, WriteSession session, WriteSession whole, TimeProvider clock) : IOperation
{
    public async ValueTask<string?> Preflight(Plan plan, CancellationToken cancellationToken)
    {
        try
        {
            return await Kintsugi.Postgres.Operating.Preflight.Obstacle(plan, session, cancellationToken);
        }
        catch (PatientException problem)
        {
            throw Healing(problem, "the preflight");
        }
    }

    public async ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, CancellationToken cancellationToken)
    {
        try
        {
            return await StepRunners.For(step.Kind).Remember(step, session, cancellationToken);
        }
        catch (PatientException problem)
        {
            throw Healing(problem, "looking around before the step");
        }
    }

    public async ValueTask<StepResult> Run(
        Plan plan, Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
    {
        try
        {
            return await StepRunners.For(step.Kind).Run(new StepContext(plan, step, remembered, session, factory, clock), cancellationToken);
        }
        catch (PatientException problem)
        {
            throw Healing(problem, step.Do);
        }
    }

    public async ValueTask<string?> CleanUp(Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
    {
        try
        {
            // The step's own session may be gone, which is why there is something to clean up.
            if (session.IsOpen)
                return await StepRunners.For(step.Kind).CleanUp(step, remembered, session, cancellationToken);
            await using var fresh = await factory.OpenWrite(session.Database, cancellationToken);
            return await StepRunners.For(step.Kind).CleanUp(step, remembered, fresh, cancellationToken);
        }
        catch (PatientException problem)
        {
            throw Healing(problem, $"removing what was left of: {step.Do}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await session.DisposeAsync();
        await whole.DisposeAsync();
    }

    private static HealingException Healing(PatientException problem, string what) =>
        new($"{what}: {problem.Message}{(problem.Detail is null ? "" : $" ({problem.Detail})")}"
            + (problem.SqlState is null ? "" : $" (SQLSTATE {problem.SqlState})"), SqlStates.MayPass(problem.SqlState), problem);
}
