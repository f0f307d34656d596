using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>The rows that were put away in one database: told, put back, or given up for good.</summary>
public sealed class Quarantine(SessionFactory factory, OperatingRoom room, string database)
{
    public const string OfCase = "q.case_id = $1";
    public const string OfId = "q.id = $1";

    private const int RowsAtOnce = 2_000;

    /// <param name="where">A condition on q, such as <see cref="OfCase"/>, or true.</param>
    public async ValueTask<IReadOnlyList<QuarantineEntry>> List(string where, CancellationToken cancellationToken, params object?[] parameters)
    {
        await using var session = await factory.OpenWrite(database, cancellationToken);
        return await QuarantineEntry.Read(session, where, cancellationToken, parameters);
    }

    /// <summary>
    /// Puts rows and values back in one transaction: parents before children, triggers of the application firing, every constraint in force.
    /// Either all come back, or none does and the reason is told.
    /// </summary>
    /// <returns>How many rows and values came back.</returns>
    /// <exception cref="HealingException">A constraint, or a later change of the row, stands against it; nothing was altered.</exception>
    public async ValueTask<int> Restore(string why, string where, CancellationToken cancellationToken, params object?[] parameters)
    {
        await using var stay = await room.Enter(database, cancellationToken);
        await using var session = await factory.OpenWrite(database, cancellationToken);
        if (await PatientSchema.Version(session, cancellationToken) == 0)
            return 0;
        var ids = (await session.Rows($"SELECT q.id FROM kintsugi.quarantine q WHERE {where} AND q.restored_at IS NULL ORDER BY q.id DESC", row => row.GetInt64(0),
            cancellationToken, parameters)).ToArray();
        if (ids.Length == 0)
            return 0;
        await session.Execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE; SET CONSTRAINTS ALL DEFERRED", cancellationToken);
        try
        {
            var owner = await PatientSchema.Owner(session, cancellationToken)
                ?? throw new HealingException("schema kintsugi is gone", mayPass: false);
            // Not all of them in memory at once.
            foreach (var some in ids.Chunk(RowsAtOnce))
                await new RestoredRows(session).PutBack(
                    [.. (await QuarantineEntry.Read(session, "q.id = ANY ($1)", cancellationToken, (object)some)).Reverse()], cancellationToken);
            await session.Execute("SET CONSTRAINTS ALL IMMEDIATE", cancellationToken);
            await Sign(session, owner, ids, why, cancellationToken);
            await session.Execute("COMMIT", cancellationToken);
            return ids.Length;
        }
        catch (PatientException problem)
        {
            if (session.IsOpen)
                await session.Execute("ROLLBACK", CancellationToken.None);
            throw new HealingException($"nothing was put back, because this stands against it: {problem.Message}"
                + (problem.Detail is null ? "" : $" ({problem.Detail})") + (problem.SqlState is { } code ? $" (SQLSTATE {code})" : ""),
                SqlStates.MayPass(problem.SqlState), problem);
        }
        catch (HealingException) when (session.IsOpen)
        {
            await session.Execute("ROLLBACK", CancellationToken.None);
            throw;
        }
    }

    private static async ValueTask Sign(
        WriteSession session, string owner, long[] ids, string why, CancellationToken cancellationToken)
    {
        await session.Execute($"SET LOCAL ROLE {Quote.Identifier(owner)}", cancellationToken);
        await session.Execute("""
            WITH restored AS (UPDATE kintsugi.quarantine SET restored_at = pg_catalog.clock_timestamp() WHERE id = ANY ($1) RETURNING case_id)
            INSERT INTO kintsugi.audit_log (event_type, severity, message, metadata, case_id)
            SELECT 'rows-restored', 'info', pg_catalog.count(*) || ' rows put back: ' || $2,
                   pg_catalog.jsonb_build_object('rows', pg_catalog.count(*)::pg_catalog.text), r.case_id FROM restored r GROUP BY r.case_id
            """, cancellationToken, ids, why);
        await session.Execute("SET LOCAL ROLE NONE", cancellationToken);
    }

    /// <summary>Ends the kept rows for good: what was not restored is lost with it.</summary>
    /// <returns>How many were not restored, and how many in all.</returns>
    public async ValueTask<(long Lost, long All)> Purge(string where, CancellationToken cancellationToken, params object?[] parameters)
    {
        await using var stay = await room.Enter(database, cancellationToken);
        await using var session = await factory.OpenWrite(database, cancellationToken);
        if (await PatientSchema.Version(session, cancellationToken) == 0)
            return (0, 0);
        var counts = await session.Rows($"""
            WITH gone AS (DELETE FROM kintsugi.quarantine q WHERE {where} RETURNING q.case_id, q.restored_at, q.kind),
                 signed AS (INSERT INTO kintsugi.audit_log (event_type, severity, message, case_id)
                            SELECT 'quarantine-purged', 'warning', pg_catalog.count(*) || ' kept rows ended', g.case_id FROM gone g GROUP BY g.case_id RETURNING 1)
            SELECT pg_catalog.count(*) FILTER (WHERE g.restored_at IS NULL AND g.kind <> 'added'), pg_catalog.count(*) FROM gone g
            """, row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken, parameters);
        return counts[0];
    }

    /// <summary>Removes schema kintsugi, unless rows lie in it that are nowhere else.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="HealingException">Rows lie in quarantine, or somebody else's objects in the schema.</exception>
    public async ValueTask<bool> Uninstall(CancellationToken cancellationToken)
    {
        await using var stay = await room.Enter(database, cancellationToken);
        await using var session = await factory.OpenWrite(database, cancellationToken);
        if (await PatientSchema.Owner(session, cancellationToken) is null)
            return false;
        if (await PatientSchema.Version(session, cancellationToken) > 0
            && await session.Value<long>("SELECT pg_catalog.count(*) FROM kintsugi.quarantine q WHERE q.restored_at IS NULL AND q.kind <> 'added'", cancellationToken) is > 0 and var kept)
            throw new HealingException($"{kept} rows lie in quarantine of database {database} and nowhere else: kintsugi quarantine restore puts them "
                + "back, kintsugi quarantine purge ends them", mayPass: false);
        try
        {
            await session.Execute("DROP TABLE IF EXISTS kintsugi.quarantine, kintsugi.audit_log, kintsugi.version; DROP SCHEMA kintsugi", cancellationToken);
        }
        catch (PatientException problem) when (problem.SqlState == "2BP01")
        {
            throw new HealingException($"schema kintsugi is not removed, for other objects are in it or rest on it: {problem.Detail ?? problem.Message}",
                mayPass: false, problem);
        }
        return true;
    }
}
