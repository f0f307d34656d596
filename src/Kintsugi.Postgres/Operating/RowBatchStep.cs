using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// One batch of a row repair in one transaction: lock, re-check, before-images, change, the rule once more, an audit line,
/// COMMIT. A kill at any point leaves the batch done or not done; which of the two, the audit line's token tells, never a guess.
/// </summary>
internal sealed class RowBatchStep : IStepRunner
{
    public const string Name = "row-batch";
    public string Kind => Name;

    public async ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken)
    {
        await PatientSchema.Ensure(session, cancellationToken);
        return new Dictionary<string, string>
        {
            ["token"] = (await session.Value<string>("SELECT pg_catalog.gen_random_uuid()::pg_catalog.text", cancellationToken))!,
            ["backend"] = (await session.Value<string>("""
                SELECT s.pid::pg_catalog.text || ' ' || s.backend_start::pg_catalog.text FROM pg_catalog.pg_stat_activity s
                WHERE s.pid = pg_catalog.pg_backend_pid()
                """, cancellationToken))!,
        };
    }

    public async ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken)
    {
        var owner = await PatientSchema.Ensure(context.Session, cancellationToken);
        var surgery = new RowSurgery(context, RowBatch.From(context.Step), owner);
        await context.Session.Execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE", cancellationToken);
        StepResult result;
        try
        {
            result = await surgery.Operate(cancellationToken);
        }
        catch (Exception problem) when (context.Session.IsOpen && problem is PatientException or HealingException or OperationCanceledException)
        {
            await context.Session.Execute("ROLLBACK", CancellationToken.None);
            throw;
        }
        // From here on only the token tells; a cancellation must not leave that open without need.
        await context.Session.Execute("COMMIT", CancellationToken.None);
        return result;
    }

    /// <summary>Nothing of a batch that was not committed is left; of one that was, the audit line tells.</summary>
    public async ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken)
    {
        if (!remembered.TryGetValue("token", out var token))
            return null;
        await AwaitEnd(remembered.GetValueOrDefault("backend", ""), session, cancellationToken);
        if (await PatientSchema.Version(session, cancellationToken) == 0)
            return null;
        var done = await session.Rows(
            "SELECT l.message FROM kintsugi.audit_log l WHERE l.metadata ->> 'token' = $1", row => row.GetString(0), cancellationToken, token);
        return done.Count == 0 ? null : $"nothing: this batch had been committed ({done[0]})";
    }

    /// <summary>The backend of a lost session may still be committing: it is awaited before the audit log is asked.</summary>
    private static async ValueTask AwaitEnd(string backend, WriteSession session, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        for (var waits = 0; waits < 300; waits++)
        {
            // Our own session may have outlived the failure: its transaction is over then.
            if (!await session.Value<bool>("""
                SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity s WHERE s.pid <> pg_catalog.pg_backend_pid()
                  AND s.pid::pg_catalog.text || ' ' || s.backend_start::pg_catalog.text = $1)
                """, cancellationToken, backend))
                return;
            await timer.WaitForNextTickAsync(cancellationToken);
        }
        throw new HealingException("the backend of the lost session still works: whether its batch is committed cannot be told yet", mayPass: true);
    }
}
