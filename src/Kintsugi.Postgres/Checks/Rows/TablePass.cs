using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>
/// One pass over a table for many questions: those that no row answers are settled by it, which on a sound table is all of them.
/// The others are looked at one by one.
/// </summary>
internal sealed class TablePass : IDisposable
{
    private readonly SemaphoreSlim gate = new(1);
    private readonly List<RowQuestion> questions = [];
    private HashSet<string>? clear;

    /// <summary>Those that need another role's rights are left to themselves: a statement has one role.</summary>
    public void Add(RowQuestion question)
    {
        if (question.Role is null)
            questions.Add(question);
    }

    /// <summary>Whether the common pass has shown that no row is bad in this respect.</summary>
    public async ValueTask<bool> Clears(RowQuestion question, Patient patient, CancellationToken cancellationToken)
    {
        if (questions.Count < 2 || question.Role is not null)
            return false;
        await gate.WaitAsync(cancellationToken);
        try
        {
            clear ??= await Run(patient, cancellationToken);
            return clear.Contains(question.Violation);
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose() => gate.Dispose();

    private async ValueTask<HashSet<string>> Run(Patient patient, CancellationToken cancellationToken)
    {
        var whole = questions.Select(question => question.Violation).ToHashSet();
        foreach (var slice in await Slices.Of(questions[0].Table, questions.Max(question => question.Beside), patient, cancellationToken))
        {
            await patient.Pace.Spend(slice.Bytes, cancellationToken);
            whole.IntersectWith(await Run(slice, patient.Session, cancellationToken));
            if (whole.Count == 0)
                break;
        }
        return whole;
    }

    private async ValueTask<HashSet<string>> Run(Slice slice, IReadSession session, CancellationToken cancellationToken)
    {
        var violations = questions.Select(question => question.Violation).Distinct().ToList();
        var counts = string.Join(", ", violations.Select(violation => $"pg_catalog.count(*) FILTER (WHERE {violation})"));
        var sql = $"SELECT {counts} FROM {questions[0].From}{slice.Where}";
        try
        {
            return await session.InTransaction(Evidence.Settings(null), async inside =>
            {
                if (await Evidence.Distrust(inside, sql, cancellationToken) is not null)
                    return [];
                var row = (await inside.Rows(
                    sql, row => violations.Where((_, i) => row.GetInt64(i) == 0).ToHashSet(), cancellationToken))[0];
                return row;
            }, cancellationToken);
        }
        catch (PatientException problem) when (!problem.ConnectionLost)
        {
            // One expression that fails must not hide the others: each is then asked alone, and the one that fails says so
            // itself.
            return [];
        }
    }
}
