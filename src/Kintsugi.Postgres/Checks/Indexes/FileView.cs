using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// Pages as they are on disk. A completed checkpoint has written every change before its redo pointer (xlog.c, CreateCheckPoint),
/// so that pointer is the moment up to which the files are complete; on a standby the same holds for its restartpoint.
/// </summary>
internal sealed class FileView(IByteSource bytes, Patient patient, TimeProvider clock) : IPageView
{
    /// <summary>The control file is written in place: a torn reading is repeated.</summary>
    private const int Tries = 3;

    /// <summary>Before 15 the counters of VACUUM came through a process of their own, at most about a second late (pgstat.c).</summary>
    private static readonly TimeSpan CountersLate = TimeSpan.FromSeconds(2);

    public bool IsLocked => false;

    public async ValueTask<Moment?> Now(CancellationToken cancellationToken)
    {
        bytes.Reopen();
        var file = new byte[ControlFile.FileSize];
        for (var i = 0; i < Tries; i++)
        {
            var read = await bytes.Read("global/pg_control", 0, file, cancellationToken);
            var flaws = new List<Flaw>();
            if (ControlFile.Read(file.AsSpan(0, read), flaws) is { } control && flaws.Count == 0)
                return new Moment(control.Redo, Ended(control));
        }
        return null;
    }

    /// <summary>
    /// Derived before the redo pointer was fixed (CreateCheckPoint). A shutdown checkpoint has none: nothing ran then.
    /// With wal_level minimal it is not kept, and only what is frozen everywhere had surely ended.
    /// </summary>
    internal static uint Ended(ControlFile control) =>
        control.OldestActiveXid != 0 ? control.OldestActiveXid
        : control.Redo == control.Checkpoint && control.WalLevel > 0 ? control.NextXid
        : control.OldestXid;

    public async ValueTask<long> Blocks(Located relation, CancellationToken cancellationToken) =>
        (await ForkExtent.Measure(bytes, relation.Path, Forks.Main, cancellationToken)).Blocks;

    public async ValueTask<int> Read(Located relation, long first, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var total = 0;
        var pages = buffer.Length / PageFormat.Size;
        while (total < pages)
        {
            var (path, offset) = Forks.Place(relation.Path, Forks.Main, first + total);
            var inFile = (int)Math.Min(pages - total, PageFormat.BlocksPerSegment - ((first + total) % PageFormat.BlocksPerSegment));
            var piece = buffer.Slice(total * PageFormat.Size, inFile * PageFormat.Size);
            var read = await bytes.Read(path, offset, piece, cancellationToken) / PageFormat.Size;
            total += read;
            if (read < inFile)
                break;
        }
        return total;
    }

    public async ValueTask<bool> EndStands(Located table, CancellationToken cancellationToken)
    {
        // A standby replays truncations and counts no vacuums.
        if (patient.Can.InRecovery)
            return false;
        if (patient.Can.Major < 15)
            await Task.Delay(CountersLate, clock, cancellationToken);
        return (await patient.Session.Rows("""
            SELECT coalesce(greatest(s.last_vacuum, s.last_autovacuum) < c.checkpoint_time, true)
                   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum p WHERE p.relid IS NULL OR p.relid = $1)
            FROM pg_catalog.pg_control_checkpoint() c LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = $1
            """, row => row.GetBoolean(0), cancellationToken, table.Relation.Oid))[0];
    }
}
