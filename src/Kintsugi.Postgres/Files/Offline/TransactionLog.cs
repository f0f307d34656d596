using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>How transactions ended, read from pg_xact; segments are kept, a catalog asks for few of them.</summary>
internal sealed class TransactionLog(string directory)
{
    private readonly Dictionary<uint, byte[]> segments = [];

    public bool Committed(uint xid)
    {
        if (!TransactionIds.IsNormal(xid))
            return xid != TransactionIds.Invalid;
        var place = CommitLog.PlaceOf(xid);
        if (!segments.TryGetValue(place.Segment, out var bytes))
        {
            var file = Path.Combine(directory, "pg_xact", place.FileName);
            segments[place.Segment] = bytes = File.Exists(file) ? File.ReadAllBytes(file) : [];
        }
        return CommitLog.Read(bytes, xid) == XidOutcome.Committed;
    }

    /// <summary>Whether a row version is what a new reader of a stopped cluster would see.</summary>
    public bool IsLive(in HeapTupleHeader tuple, Tid self)
    {
        if (!tuple.IsFrozen && (tuple.XminInvalid || !(tuple.XminCommitted || Committed(tuple.Xmin))))
            return false;
        if (tuple.XmaxInvalid || tuple.IsLockedOnly || tuple.Xmax == TransactionIds.Invalid)
            return true;
        // A multixact that updated left a newer version behind, to which ctid leads.
        return tuple.XmaxIsMulti ? tuple.Ctid == self : !(tuple.XmaxCommitted || Committed(tuple.Xmax));
    }
}
