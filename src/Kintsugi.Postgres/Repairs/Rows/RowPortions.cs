using System.Runtime.ExceptionServices;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Does of a batch what can be done: all of it at once; and where a row stands against that, its halves, and theirs, down to the group that it is
/// about, which is left as it was. All inside the batch's one transaction.
/// </summary>
/// <param name="work">Is rolled back where it throws.</param>
internal sealed class RowPortions(WriteSession session, TimeProvider clock, Func<IReadOnlyList<LockedRow>, CancellationToken, ValueTask> work)
{
    /// <summary>So many rows do not differ from the others by accident: the batch is given up.</summary>
    private const int MostRefused = 10;

    /// <summary>The batch holds its locks all the while.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly long begun = clock.GetTimestamp();

    public List<LockedRow> Done { get; } = [];

    /// <summary>How many groups were left as they were, and why the first of them.</summary>
    public int Refused { get; private set; }
    public string? Why { get; private set; }

    /// <param name="whole">What the batch proves is true only of the whole of it.</param>
    public async ValueTask Try(IReadOnlyList<LockedRow> rows, bool whole, CancellationToken cancellationToken)
    {
        try
        {
            if (whole)
            {
                await work(rows, cancellationToken);
                Done.AddRange(rows);
            }
            else if (await Attempt(rows, cancellationToken) is { } problem)
            {
                await Halve(rows, problem, cancellationToken);
                // Nothing of it could be done: what stands against all of it is told, and not what stood against one row.
                if (Done.Count == 0)
                    ExceptionDispatchInfo.Throw(problem);
            }
        }
        catch (RowRefusal refusal)
        {
            throw new HealingException(refusal.Message, mayPass: false, refusal);
        }
    }

    /// <returns>What one of the rows, or several, stood against; nothing was altered then.</returns>
    private async ValueTask<Exception?> Attempt(IReadOnlyList<LockedRow> rows, CancellationToken cancellationToken)
    {
        await session.Execute("SAVEPOINT kintsugi_portion", cancellationToken);
        try
        {
            await work(rows, cancellationToken);
        }
        catch (Exception problem) when (session.IsOpen && IsOfRows(problem))
        {
            await session.Execute("ROLLBACK TO SAVEPOINT kintsugi_portion; RELEASE SAVEPOINT kintsugi_portion", cancellationToken);
            return problem;
        }
        await session.Execute("RELEASE SAVEPOINT kintsugi_portion", cancellationToken);
        Done.AddRange(rows);
        return null;
    }

    private async ValueTask Halve(IReadOnlyList<LockedRow> rows, Exception problem, CancellationToken cancellationToken)
    {
        var groups = rows.Select(row => row.Row.Group).Distinct().ToList();
        if (groups.Count == 1)
        {
            Why ??= problem.Message;
            Refused++;
            return;
        }
        foreach (var half in new[] { groups[..(groups.Count / 2)].ToHashSet(), groups[(groups.Count / 2)..].ToHashSet() })
        {
            if (Refused > MostRefused || clock.GetElapsedTime(begun) > Patience)
                ExceptionDispatchInfo.Throw(problem);
            IReadOnlyList<LockedRow> part = [.. rows.Where(row => half.Contains(row.Row.Group))];
            if (await Attempt(part, cancellationToken) is { } one)
                await Halve(part, one, cancellationToken);
        }
    }

    /// <summary>
    /// A value that cannot be kept, a constraint, a trigger that refuses, or one that changes a row of the same statement; another row may pass. A
    /// trigger that says nothing and keeps a row is not among them: what it does to the others is not known.
    /// </summary>
    private static bool IsOfRows(Exception problem) => problem switch
    {
        RowRefusal => true,
        PatientException { ConnectionLost: false, SqlState: [_, _, ..] state } => state[..2] is "22" or "23" or "27" or "P0",
        _ => false,
    };
}

/// <summary>One of the rows cannot be treated; the others may.</summary>
internal sealed class RowRefusal(string message) : Exception(message);
