using Kintsugi.Pages;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// Makes the server forget its copies of pages, so that it reads them from the file again: pg_buffercache_evict from 17 on; before, a table larger
/// than shared_buffers is read through them until the pages have left.
/// </summary>
internal sealed class BufferEviction(WriteSession session, int major)
{
    /// <summary>Before 17 everything in shared buffers has to make room: beyond this it would be unkind to the server.</summary>
    public const long MostBytes = 2L << 30;

    /// <summary>A buffer in constant use is passed over five times by the clock sweep (BM_MAX_USAGE_COUNT, buf_internals.h).</summary>
    private const int Rounds = 8;

    private bool pressed;

    private const string Columns =
        "(bufferid int4, relfilenode oid, reltablespace oid, reldatabase oid, relforknumber int2, relblocknumber int8, isdirty bool, usagecount int2, "
        + "pinning int4)";

    /// <summary>What the server lacks for it, or null.</summary>
    public static string? Lack(Capabilities can)
    {
        string[] modules = can.Major >= 17 ? ["pg_buffercache", "pageinspect"] : ["pg_buffercache", "pageinspect", "pg_prewarm"];
        return modules.FirstOrDefault(module => !can.Available.Contains(module) && (!can.Has(module) || can.Extensions[module].Borrowed));
    }

    /// <summary>Bytes of the table that presses the pages out before 17: more than there are buffers.</summary>
    public static long Room(Capabilities can) =>
        can.Settings.TryGetValue("shared_buffers", out var buffers) && long.TryParse(buffers, out var pages) ? pages * 5 / 4 * PageFormat.Size : 0;

    /// <summary>Makes the functions, in the session's temporary schema and a transaction that its caller rolls back.</summary>
    public async ValueTask Prepare(CancellationToken cancellationToken)
    {
        await session.Execute("CREATE FUNCTION pg_temp.kintsugi_buffers() RETURNS SETOF pg_catalog.record AS '$libdir/pg_buffercache', "
            + "'pg_buffercache_pages' LANGUAGE c", cancellationToken);
        await session.Execute(major >= 17
            ? "CREATE FUNCTION pg_temp.kintsugi_evict(pg_catalog.int4" + (major >= 18 ? ", OUT evicted pg_catalog.bool, OUT flushed pg_catalog.bool) " : ") RETURNS pg_catalog.bool ")
                + "AS '$libdir/pg_buffercache', 'pg_buffercache_evict' LANGUAGE c STRICT"
            : "CREATE FUNCTION pg_temp.kintsugi_prewarm(pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.int8, pg_catalog.int8) "
                + "RETURNS pg_catalog.int8 AS '$libdir/pg_prewarm', 'pg_prewarm' LANGUAGE c", cancellationToken);
    }

    /// <exception cref="HealingException">The pages would not leave.</exception>
    public async ValueTask Run(string relation, long[] blocks, CancellationToken cancellationToken)
    {
        if (await Resident(relation, blocks, cancellationToken) is 0)
            return;
        for (var round = 0; round < Rounds && (pressed || major >= 17); round++)
        {
            if (major >= 17)
                await session.Execute($"SELECT pg_catalog.count(pg_temp.kintsugi_evict(b.bufferid)) {From}", cancellationToken, relation, blocks);
            else
                await session.Execute("SELECT pg_temp.kintsugi_prewarm('kintsugi_pressure.filler', 'buffer', 'main', NULL, NULL)", cancellationToken);
            if (await Resident(relation, blocks, cancellationToken) is 0)
                return;
        }
        throw new HealingException("the server's copies of the damaged pages would not leave its shared buffers: they are in constant use. "
            + "Try again when the server has less to do", mayPass: true);
    }

    private const string From =
        $"FROM pg_temp.kintsugi_buffers() AS b{Columns} WHERE b.reldatabase = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = "
        + "pg_catalog.current_database()) AND b.relfilenode = pg_catalog.pg_relation_filenode($1::pg_catalog.regclass) AND b.relforknumber = 0 "
        + "AND b.relblocknumber = ANY ($2)";

    private async ValueTask<long> Resident(string relation, long[] blocks, CancellationToken cancellationToken) =>
        await session.Value<long>($"SELECT pg_catalog.count(*) {From}", cancellationToken, relation, blocks);

    /// <summary>
    /// Before the table is locked, and in transactions of its own that are committed: PostgreSQL does not start again when it loses power right after the
    /// creation of an unlogged table was rolled back (the file of its main fork waits for a checkpoint, and redo makes the one of its init fork again).
    /// </summary>
    public async ValueTask Press(string relation, long[] blocks, CancellationToken cancellationToken)
    {
        if (major >= 17 || !await MayBeResident(relation, blocks, cancellationToken))
            return;
        await Release(cancellationToken);
        pressed = true;
        await session.Execute("CREATE SCHEMA kintsugi_pressure", cancellationToken);
        await session.Execute("CREATE UNLOGGED TABLE kintsugi_pressure.filler (filler pg_catalog.text) WITH (fillfactor = 10, autovacuum_enabled = off)", cancellationToken);
        // One row on each page.
        await session.ExecuteUnbounded("INSERT INTO kintsugi_pressure.filler SELECT pg_catalog.repeat('x', 900) FROM pg_catalog.generate_series(1, "
            + "(SELECT s.setting::pg_catalog.int8 * 5 / 4 FROM pg_catalog.pg_settings s WHERE s.name = 'shared_buffers'))", TimeSpan.FromSeconds(5), cancellationToken);
    }

    /// <returns>Why the table is still there, or null: the work it was made for is proven by then, and the next run removes it.</returns>
    public async ValueTask<string?> TryRelease()
    {
        try
        {
            await Release(CancellationToken.None);
            return null;
        }
        catch (PatientException problem)
        {
            return $"DROP SCHEMA kintsugi_pressure CASCADE has to be done by hand: {problem.Message}";
        }
    }

    /// <summary>A page that fails its checksum never is.</summary>
    private async ValueTask<bool> MayBeResident(string relation, long[] blocks, CancellationToken cancellationToken)
    {
        await session.Execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE", cancellationToken);
        try
        {
            await Prepare(cancellationToken);
            return await Resident(relation, blocks, cancellationToken) > 0;
        }
        finally
        {
            if (session.IsOpen)
                await session.Execute("ROLLBACK", CancellationToken.None);
        }
    }

    /// <summary>Removes that table, also one that a killed run left.</summary>
    public async ValueTask Release(CancellationToken cancellationToken)
    {
        if (major >= 17 || !await session.Value<bool>("SELECT pg_catalog.to_regnamespace('kintsugi_pressure') IS NOT NULL", cancellationToken))
            return;
        await session.Execute("DROP TABLE IF EXISTS kintsugi_pressure.filler", cancellationToken);
        await session.Execute("DROP SCHEMA kintsugi_pressure RESTRICT", cancellationToken);
    }
}
