using System.Globalization;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>The rows that were put away in one database: told, put back, or given up for good.</summary>
public sealed class Quarantine(SessionFactory factory, OperatingRoom room, string database)
{
    public const string OfCase = "q.case_id = $1";
    public const string OfId = "q.id = $1";

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
        var entries = await QuarantineEntry.Read(session, $"{where} AND q.restored_at IS NULL", cancellationToken, parameters);
        if (entries.Count == 0)
            return 0;
        await session.Execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE; SET CONSTRAINTS ALL DEFERRED", cancellationToken);
        try
        {
            var owner = await PatientSchema.Owner(session, cancellationToken)
                ?? throw new HealingException("schema kintsugi is gone", mayPass: false);
            foreach (var entry in entries.Reverse())
                await new RowRestoration(session, entry).PutBack(cancellationToken);
            await session.Execute("SET CONSTRAINTS ALL IMMEDIATE", cancellationToken);
            await Sign(session, owner, entries, why, cancellationToken);
            await session.Execute("COMMIT", cancellationToken);
            return entries.Count;
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
        WriteSession session, string owner, IReadOnlyList<QuarantineEntry> entries, string why, CancellationToken cancellationToken)
    {
        await session.Execute($"SET LOCAL ROLE {Quote.Identifier(owner)}", cancellationToken);
        await session.Execute("UPDATE kintsugi.quarantine SET restored_at = pg_catalog.clock_timestamp() WHERE id = ANY ($1)", cancellationToken,
            (object)entries.Select(entry => entry.Id).ToArray());
        foreach (var group in entries.GroupBy(entry => entry.Case))
            await session.Execute("""
                INSERT INTO kintsugi.audit_log (event_type, severity, message, metadata, case_id) VALUES ('rows-restored', 'info', $1, $2::pg_catalog.jsonb, $3)
                """, cancellationToken, $"{group.Count()} rows put back: {why}",
                Facts.Data(("rows", group.Count().ToString(CultureInfo.InvariantCulture))), group.Key);
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
