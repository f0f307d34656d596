using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>Takes back what was written to pages: the bytes that stood there before are in the ledger.</summary>
public sealed class PageUndo(SessionFactory factory, OperatingRoom room, string database)
{
    /// <summary>Steps of a case that wrote pages, the last one first.</summary>
    public static IReadOnlyList<StepDone> Of(IReadOnlyList<Fact> facts) =>
        [.. StepDone.Of(facts).Where(done => done.Step.Kind == WritePagesStep.Name).Reverse()];

    /// <returns>How many pages are again as they were.</returns>
    /// <exception cref="HealingException">What was mended has been changed since, or the table was rewritten.</exception>
    public async ValueTask<int> Undo(IReadOnlyList<StepDone> steps, CancellationToken cancellationToken)
    {
        await using var stay = await room.Enter(database, cancellationToken);
        await using var session = await factory.OpenWrite(database, cancellationToken);
        var pages = 0;
        try
        {
            foreach (var done in steps)
                pages += await WritePagesStep.Undo(done.Step, done.Remembered, session, cancellationToken);
        }
        catch (PatientException problem)
        {
            throw new HealingException($"the pages could not be put back: {problem.Message}", SqlStates.MayPass(problem.SqlState), problem);
        }
        return pages;
    }
}
