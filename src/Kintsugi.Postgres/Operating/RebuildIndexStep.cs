using System.Globalization;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// REINDEX INDEX CONCURRENTLY. A failed or killed one leaves an invalid index named _ccnew or _ccold: ours is what is new on that table since
/// the recorded moment, invalid and named so. A watcher ends a wait for other people's transactions that lasts too long.
/// </summary>
internal sealed class RebuildIndexStep : IStepRunner
{
    public const string Name = "rebuild-index";

    /// <summary>How long it may wait for transactions older than itself before it gives up and cleans up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public string Kind => Name;

    public async ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, WriteSession session, CancellationToken cancellationToken) =>
        new Dictionary<string, string>
        {
            ["indexes"] = string.Join(',', await session.Rows(
                "SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = pg_catalog.to_regclass($1)::pg_catalog.oid ORDER BY 1",
                row => row.GetFieldValue<uint>(0), cancellationToken, step["table"])),
        };

    public async ValueTask<StepResult> Run(StepContext context, CancellationToken cancellationToken)
    {
        await AwaitOthers(context, cancellationToken);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var watchStop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = Watch(context, stop, watchStop.Token);
        try
        {
            await RunAs.Owner(context, () => context.Session.ExecuteUnbounded(context.Step.Do, TimeSpan.Zero, stop.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HealingException($"{context.Step.Do}: gave up after waiting {Patience.TotalMinutes} minutes for others: "
                + await Ended(watch), mayPass: true);
        }
        finally
        {
            await watchStop.CancelAsync();
        }
        await Ended(watch);
        return new StepResult();
    }

    public async ValueTask<string?> CleanUp(
        Step step, IReadOnlyDictionary<string, string> remembered, WriteSession session, CancellationToken cancellationToken)
    {
        var before = remembered.TryGetValue("indexes", out var list) && list.Length > 0
            ? list.Split(',').Select(oid => uint.Parse(oid, CultureInfo.InvariantCulture)).ToArray()
            : [];
        var ours = await session.Rows("""
            SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE i.indrelid = pg_catalog.to_regclass($1)::pg_catalog.oid AND NOT i.indisvalid
              AND c.relname ~ '_cc(new|old)[0-9]*$' AND i.indexrelid <> ALL ($2::pg_catalog.oid[])
            """, row => Quote.Name(row.GetString(0), row.GetString(1)), cancellationToken, step["table"], before);
        if (ours.Count > 0 && await Others(step, session, cancellationToken) is { } others)
            throw new HealingException($"{others} works on {step["table"]} at this moment: whether {string.Join(", ", ours)} is left over or still being built "
                + "can only be told when that has ended", mayPass: true);
        foreach (var index in ours)
            await session.ExecuteUnbounded($"DROP INDEX CONCURRENTLY IF EXISTS {index}", TimeSpan.FromSeconds(20), cancellationToken);
        return ours.Count == 0 ? null : $"dropped {string.Join(", ", ours)}";
    }

    /// <summary>
    /// Whoever holds a lock that ours would have to wait for: a rebuild or a VACUUM of somebody else. It is awaited outside of the statement, which would hold
    /// an MVCC snapshot while it waits: a concurrent rebuild waits for every older one, and the server would end one of the two.
    /// </summary>
    private static async ValueTask AwaitOthers(StepContext context, CancellationToken cancellationToken)
    {
        var begun = context.Clock.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250), context.Clock);
        while (await Others(context.Step, context.Session, cancellationToken) is { } others)
        {
            if (context.Clock.GetElapsedTime(begun) > Patience)
                throw new HealingException($"{context.Step.Do}: gave up after waiting {Patience.TotalMinutes} minutes for {others}, who works on the same table",
                    mayPass: true);
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <summary>An autovacuum is not among them: it gives way to whoever waits for its lock, and to nobody else.</summary>
    private static async ValueTask<string?> Others(Step step, WriteSession session, CancellationToken cancellationToken)
    {
        var others = await session.Rows("""
            SELECT DISTINCT pg_catalog.format('backend %s (%s)', s.pid, s.application_name)
            FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity s ON s.pid = l.pid
            WHERE l.locktype = 'relation' AND l.granted AND l.relation = pg_catalog.to_regclass($1)::pg_catalog.oid
              AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
              AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
              AND s.backend_type = 'client backend' AND s.pid <> pg_catalog.pg_backend_pid()
            """, row => row.GetString(0), cancellationToken, step["table"]);
        return others.Count == 0 ? null : string.Join(", ", others);
    }

    /// <summary>Looks every second at what the rebuild waits for; ends it when that lasts too long.</summary>
    /// <returns>Who was waited for last, for the message.</returns>
    private static async Task<string> Watch(StepContext context, CancellationTokenSource stop, CancellationToken cancellationToken)
    {
        var blockers = "nobody";
        await using var session = await context.Watch.OpenRead(context.Session.Database, cancellationToken);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), context.Clock);
        long? waitingSince = null;
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            var waits = await session.Rows("""
                SELECT coalesce(p.phase, 'waiting for the lock on the table'),
                       (SELECT pg_catalog.string_agg(b.pid::pg_catalog.text, ', ') FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) b(pid))
                FROM pg_catalog.pg_stat_activity s LEFT JOIN pg_catalog.pg_stat_progress_create_index p ON p.pid = s.pid
                WHERE s.pid = $1 AND (p.phase LIKE 'waiting%' OR (p.phase IS NULL AND s.wait_event_type = 'Lock'))
                """, row => $"{row.GetString(0)}, backends {(row.IsDBNull(1) ? "unknown" : row.GetString(1))}", cancellationToken,
                context.Session.BackendPid);
            if (waits.Count == 0)
            {
                waitingSince = null;
                continue;
            }
            blockers = waits[0];
            waitingSince ??= context.Clock.GetTimestamp();
            if (context.Clock.GetElapsedTime(waitingSince.Value) > Patience)
            {
                await stop.CancelAsync();
                return blockers;
            }
        }
        return blockers;
    }

    private static async ValueTask<string> Ended(Task<string> watch)
    {
        try
        {
            return await watch;
        }
        catch (OperationCanceledException)
        {
            return "nobody";
        }
        catch (PatientException problem)
        {
            // Only the watching failed; the rebuild itself has its own ending.
            return $"unknown ({problem.Message})";
        }
    }
}
