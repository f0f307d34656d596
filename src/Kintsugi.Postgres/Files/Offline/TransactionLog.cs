using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>How transactions ended, read from pg_xact and pg_multixact of a server that does not run. Serves one worker at a time.</summary>
internal sealed class TransactionLog(string directory, ControlFile? control)
{
    /// <summary>A quarter of a MiB each: what a table asks for lies close together.</summary>
    private const int MostSegments = 16;

    private readonly Dictionary<(string Folder, uint Segment), byte[]> segments = [];
    private (uint Xid, XidOutcome Outcome) last;

    /// <summary>Unknown where the log does not reach so far back.</summary>
    public XidOutcome Ending(uint xid)
    {
        if (!TransactionIds.IsNormal(xid))
            return xid == TransactionIds.Invalid ? XidOutcome.Aborted : XidOutcome.Committed;
        if (last.Xid != xid)
            last = (xid, CommitLog.Read(Segment("pg_xact", CommitLog.PlaceOf(xid)), xid));
        return last.Outcome;
    }

    public bool Committed(uint xid) => Ending(xid) == XidOutcome.Committed;

    /// <summary>Whether a row version is what a new reader of a stopped cluster would see; null where the logs do not tell.</summary>
    /// <remarks>
    /// Nothing runs: in progress is prepared (or was cut off), and committed below a parent that never did is aborted (transam.c).
    /// </remarks>
    public bool? IsVisible(in HeapTupleHeader tuple)
    {
        if (!tuple.IsFrozen && !tuple.XminCommitted)
        {
            var written = tuple.XminInvalid ? XidOutcome.Aborted : Ending(tuple.Xmin);
            if (written != XidOutcome.Committed)
                return written == XidOutcome.Unknown ? null : false;
        }
        if (tuple.XmaxInvalid || tuple.IsLockedOnly || tuple.Xmax == TransactionIds.Invalid || tuple.IsLockedUpgraded)
            return true;
        if (tuple.XmaxCommitted && !tuple.XmaxIsMulti)
            return false;
        return Updater(tuple) is not { } by ? null : by == TransactionIds.Invalid ? true : Ending(by) switch
        {
            XidOutcome.Committed => false,
            XidOutcome.Unknown => null,
            _ => true,
        };
    }

    /// <summary>The transaction that deleted or updated a row version: 0 for none, null where pg_multixact does not tell.</summary>
    public uint? Updater(in HeapTupleHeader tuple)
    {
        if (tuple.XmaxInvalid || tuple.IsLockedOnly)
            return TransactionIds.Invalid;
        return tuple.XmaxIsMulti ? UpdaterOf(tuple.Xmax) : tuple.Xmax;
    }

    /// <summary>The member of a multixact that deleted or updated: 0 for none, null where pg_multixact does not tell.</summary>
    public uint? UpdaterOf(uint multi)
    {
        if (control is null || Offset(multi) is not { } member || End(multi) is not { } end)
            return null;
        const uint most = 1 << 20;
        for (var seen = 0u; member != end; member++, seen++)
        {
            var status = MultiXactLog.PlaceOfStatus(member);
            var bytes = Segment("pg_multixact/members", status);
            if (seen == most || status.Offset >= bytes.Length)
                return null;
            if (bytes[status.Offset] is 4 or 5 && Word("pg_multixact/members", MultiXactLog.PlaceOfMember(member)) is var xid and not 0)
                return xid;
        }
        return TransactionIds.Invalid;
    }

    /// <summary>Where the members of a multixact begin and end; null where pg_multixact/offsets does not tell.</summary>
    public (uint First, uint End)? MembersOf(uint multi) => control is not null && Offset(multi) is { } first && End(multi) is { } end ? (first, end) : null;

    /// <summary>Whether a row version is alive, as far as it can be told: what cannot be told counts by where its ctid leads.</summary>
    public bool IsLive(in HeapTupleHeader tuple, Tid self) => IsVisible(tuple) ?? (Committed(tuple.Xmin) && tuple.Ctid == self);

    private uint? Offset(uint multi) => Word("pg_multixact/offsets", MultiXactLog.PlaceOfOffset(multi)) is var member and not (0 or null) ? member : null;

    /// <summary>The number of the first member that belongs to the next multixact.</summary>
    private uint? End(uint multi)
    {
        var next = multi == uint.MaxValue ? 1 : multi + 1;
        return next == control!.NextMulti ? control.NextMultiOffset : Offset(next);
    }

    private uint? Word(string folder, LogPlace place)
    {
        var bytes = Segment(folder, place);
        return place.Offset + 4 <= bytes.Length ? BitConverter.ToUInt32(bytes, place.Offset) : null;
    }

    private byte[] Segment(string folder, LogPlace place)
    {
        if (segments.TryGetValue((folder, place.Segment), out var bytes))
            return bytes;
        if (segments.Count >= MostSegments)
            segments.Clear();
        var file = Path.Combine(directory, folder, place.FileName);
        return segments[(folder, place.Segment)] = File.Exists(file) ? File.ReadAllBytes(file) : [];
    }
}
