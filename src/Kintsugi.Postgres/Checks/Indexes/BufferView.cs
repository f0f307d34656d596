using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Postgres.Checks.Storage;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// Pages as the server has them at this moment, through shared buffers (pageinspect's get_raw_page, superuser only).
/// A record's page is locked from before it enters the WAL until it is changed, so a page read after the insert position was asked for
/// holds every change up to that position.
/// </summary>
internal sealed class BufferView(IReadSession session, Patient patient, string getRawPage) : IPageView
{
    private const string Function = "get_raw_page(text,text,bigint)";
    private const string OldFunction = "get_raw_page(text,text,integer)";

    /// <summary>Null where pageinspect is not installed, too old or not for this role.</summary>
    public static BufferView? Of(Patient patient) =>
        patient is { Sql: { } session, Can.Superuser: true }
        && (patient.Can.Function("pageinspect", Function) ?? patient.Can.Function("pageinspect", OldFunction)) is { } name
            ? new BufferView(session, patient, name)
            : null;

    public bool IsLocked => true;

    public async ValueTask<Moment?> Now(CancellationToken cancellationToken)
    {
        // The snapshot is older than the position: whatever had ended by it has its entries before the position.
        var (lsn, xmin) = (await session.Rows("SELECT " + (patient.Can.InRecovery
                ? "pg_catalog.pg_last_wal_replay_lsn()" : "pg_catalog.pg_current_wal_insert_lsn()")
            + "::pg_catalog.text, pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::pg_catalog.text",
            row => (row.IsDBNull(0) ? null : row.GetString(0), row.GetString(1)), cancellationToken))[0];
        return lsn is null ? null : new Moment(WalEnd.Parse(lsn), (uint)ulong.Parse(xmin, CultureInfo.InvariantCulture));
    }

    public async ValueTask<long> Blocks(Located relation, CancellationToken cancellationToken) =>
        (await session.Rows("SELECT pg_catalog.pg_relation_size($1::pg_catalog.regclass, 'main') / 8192",
            row => row.IsDBNull(0) ? 0 : row.GetInt64(0), cancellationToken, relation.Relation.Oid))[0];

    public async ValueTask<int> Read(Located relation, long first, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var type = patient.Can.Function("pageinspect", Function) is not null ? "int8" : "int4";
        // Within one statement with the size: what is asked for beyond the end is an error.
        var pages = 0;
        await session.Rows($"""
            SELECT {getRawPage}($1::pg_catalog.regclass::pg_catalog.text, 'main', b::pg_catalog.{type})
            FROM pg_catalog.generate_series($2::pg_catalog.int8,
                     least($3::pg_catalog.int8, coalesce(pg_catalog.pg_relation_size($1::pg_catalog.regclass, 'main'), 0) / 8192 - 1)) b ORDER BY b
            """, row => row.CopyTo(0, buffer.Slice(PageFormat.Size * pages++, PageFormat.Size)), cancellationToken, relation.Relation.Oid, first, first + (buffer.Length / PageFormat.Size) - 1);
        return pages;
    }

    /// <summary>The size was asked after the position, and a truncation is in the WAL before the file is cut (storage.c).</summary>
    public ValueTask<bool> EndStands(Located table, CancellationToken cancellationToken) => ValueTask.FromResult(true);
}
