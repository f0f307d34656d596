using System.Buffers.Binary;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;

namespace Kintsugi.Postgres.Checks.Storage.Cluster;

/// <summary>
/// pg_xact and pg_multixact: a segment for every id between the oldest that a table may still hold and the last that the latest
/// checkpoint knew (what came later may still be in memory; what is older may have been removed).
/// </summary>
internal static class TransactionFilesExam
{
    private const string Hint = "rows whose transactions it told of read as an error, or the server does not start. Take a "
        + "snapshot first; then put the segment "
        + "back from a backup or a standby: finished transactions never change in it";

    /// <param name="view">The cluster.</param>
    /// <param name="oldestXid">The smallest datfrozenxid.</param>
    /// <param name="oldestMulti">The smallest datminmxid.</param>
    /// <param name="cancellationToken">Between files.</param>
    public static async ValueTask Look(ClusterView view, uint oldestXid, uint oldestMulti, CancellationToken cancellationToken)
    {
        if (view.Control is not { } control)
            return;
        if (TransactionIds.IsNormal(oldestXid) && TransactionIds.Precedes(oldestXid, control.NextXid))
            Segments(view, "pg_xact", CommitLog.PlaceOf(oldestXid), CommitLog.PlaceOf(control.NextXid - 1),
                CommitLog.PlaceOf(uint.MaxValue).Segment);
        if (!TransactionIds.MultiPrecedes(oldestMulti, control.NextMulti))
            return;
        var first = MultiXactLog.PlaceOfOffset(oldestMulti);
        Segments(view, "pg_multixact/offsets", first, MultiXactLog.PlaceOfOffset(control.NextMulti - 1),
            MultiXactLog.PlaceOfOffset(uint.MaxValue).Segment);
        var member = new byte[4];
        // Member number 0 means none: the multixact was never filled in.
        if (await view.Files.Read($"pg_multixact/offsets/{first.FileName}", first.Offset, member,
            cancellationToken) == member.Length
            && BinaryPrimitives.ReadUInt32LittleEndian(member) is var start and not 0 && start != control.NextMultiOffset)
            Segments(view, "pg_multixact/members", MultiXactLog.PlaceOfMember(start),
                MultiXactLog.PlaceOfMember(control.NextMultiOffset - 1),
                MultiXactLog.PlaceOfMember(uint.MaxValue).Segment);
    }

    /// <summary>Every file from the first to the last place, in a circle; all but the last whole, the last up to its
    /// page.</summary>
    private static void Segments(ClusterView view, string directory, LogPlace first, LogPlace last, uint highest)
    {
        for (var segment = first.Segment; ; segment = segment == highest ? 0 : segment + 1)
        {
            var file = $"{directory}/{new LogPlace(segment, 0).FileName}";
            var length = view.Files.Length(file);
            var needed = segment == last.Segment ? (last.Offset / PageFormat.Size + 1) * PageFormat.Size
                // The circle's last segment may be shorter: ids end before it does.
                : segment == highest ? PageFormat.Size : LogPlace.SegmentSize;
            if (length < 0)
                view.Accuse(Faults.TransactionStatusMissing, file,
                    "the segment is missing although tables may still refer to its transactions", Hint);
            else if (length < needed)
                view.Accuse(Faults.TransactionStatusMissing, file,
                    $"the segment has {length} bytes, at least {needed} were expected", Hint);
            if (segment == last.Segment)
                return;
        }
    }
}
