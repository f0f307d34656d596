using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// Lets one healer at a time in: a session-level advisory lock in the database, held by the very session that executes the
/// steps, and one in database postgres for shared catalogs and file work. The server frees both when that session ends, however it ends.
/// </summary>
public sealed class OperatingRoom(SessionFactory factory, Capabilities server, TimeProvider clock) : IOperatingRoom
{
    /// <summary>The key of the lock: "kintsugi" as two integers, the second one its scope.</summary>
    private const int LockClass = 0x6B696E74;
    private const int DatabaseLock = 1;
    private const int ServerLock = 2;

    /// <summary>
    /// A killed healer's backend may go on for some seconds until it notices (client_connection_check_interval, 14+): it is awaited.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    public async ValueTask<IOperation> Enter(string database, CancellationToken cancellationToken)
    {
        WriteSession? whole = null;
        WriteSession? session = null;
        try
        {
            whole = await factory.OpenWrite("postgres", cancellationToken);
            // First: behind a pooler the lock would stay with a backend that is handed to others.
            await Identify(whole, cancellationToken);
            await Lock(whole, ServerLock, cancellationToken);
            session = await factory.OpenWrite(database, cancellationToken);
            await Identify(session, cancellationToken);
            await Lock(session, DatabaseLock, cancellationToken);
            return new Operation(factory, session, whole, clock);
        }
        catch (Exception problem)
        {
            if (session is not null)
                await session.DisposeAsync();
            if (whole is not null)
                await whole.DisposeAsync();
            if (problem is PatientException refused)
                throw new HealingException($"the patient could not be entered for a repair: {refused.Message}",
                    SqlStates.MayPass(refused.SqlState), refused);
            throw;
        }
    }

    /// <summary>The same server, the same timeline, not a standby, and no pooler between us that hands out other backends.</summary>
    private async ValueTask Identify(WriteSession session, CancellationToken cancellationToken)
    {
        var now = (await session.Rows($"""
            SELECT (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s)::pg_catalog.text,
                   {CapabilityProbe.Timeline}, pg_catalog.pg_is_in_recovery(), pg_catalog.pg_backend_pid()
            """, row => (System: row.GetString(0), Timeline: row.GetInt32(1), Standby: row.GetBoolean(2), Pid: row.GetInt32(3)),
            cancellationToken))[0];
        if (now.System != server.SystemIdentifier || now.Timeline != server.Timeline)
            throw new HealingException($"another server answers than the one that was examined: system {now.System} timeline {now.Timeline}, "
                + $"expected {server.SystemIdentifier} timeline {server.Timeline}; check again before healing", mayPass: false) { NotLetIn = true };
        if (now.Standby)
            throw new HealingException("this server is a standby: it repeats what its primary does. Heal the primary", mayPass: false) { NotLetIn = true };
        var again = await session.Value<int>("SELECT pg_catalog.pg_backend_pid()", cancellationToken);
        if (again != now.Pid || now.Pid != session.BackendPid)
            throw new HealingException(SessionFactory.BehindPooler, mayPass: false) { NotLetIn = true };
    }

    private async ValueTask Lock(WriteSession session, int scope, CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250), clock);
        while (!await session.Value<bool>("SELECT pg_catalog.pg_try_advisory_lock($1, $2)", cancellationToken, LockClass, scope))
        {
            if (clock.GetElapsedTime(begun) > Patience)
                throw new HealingException($"another healer is at work on this server ({await Holder(session, scope, cancellationToken)}); "
                    + "run again when it has ended", mayPass: true);
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    private static async ValueTask<string> Holder(WriteSession session, int scope, CancellationToken cancellationToken)
    {
        var holders = await session.Rows("""
            SELECT pg_catalog.format('backend %s, %s, from %s since %s', l.pid, s.application_name, coalesce(s.client_addr::pg_catalog.text, 'this machine'),
                                     s.backend_start)
            FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity s ON s.pid = l.pid
            WHERE l.locktype = 'advisory' AND l.granted AND l.classid::pg_catalog.int8 = $1 AND l.objid::pg_catalog.int8 = $2
            """, row => row.GetString(0), cancellationToken, (long)LockClass, (long)scope);
        return holders.Count > 0 ? holders[0] : "it has just gone";
    }
}
