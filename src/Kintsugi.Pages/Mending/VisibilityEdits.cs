using System.Buffers.Binary;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>Changes that decide who sees a row. The bytes never prove them: they are made only as far as witnesses go.</summary>
internal static class VisibilityEdits
{
    private const int XmaxBits = 0x1CD0, XminFrozen = 0x0300, XmaxInvalid = 0x0800;

    /// <summary>Whether the flaw is one of transaction ids or hint bits.</summary>
    public static bool Concerns(FlawKind kind) => kind is FlawKind.XminInFuture or FlawKind.XminTooOld or FlawKind.XmaxInFuture
        or FlawKind.XmaxTooOld or FlawKind.MultiInFuture or FlawKind.MultiTooOld or FlawKind.AllVisibleDeleted
        or FlawKind.AllFrozenNotFrozen or FlawKind.HintContradictsLog or FlawKind.XmaxCommittedMulti or FlawKind.HotUpdatedWithoutXmax;

    /// <summary>Every change that might settle the flaw, with whoever speaks for it and against it.</summary>
    public static List<Edit> For(byte[] page, in Flaw flaw, PageEvidence evidence)
    {
        var pointer = LinePointer.Read(page, flaw.Item);
        if (!HeapPageInspector.IsReadable(page, pointer)) return [];
        return flaw.Kind switch
        {
            FlawKind.XminInFuture or FlawKind.XminTooOld => Xmin(page, pointer, flaw.Item, evidence),
            FlawKind.XmaxInFuture or FlawKind.XmaxTooOld or FlawKind.MultiInFuture or FlawKind.MultiTooOld
                or FlawKind.AllVisibleDeleted or FlawKind.HotUpdatedWithoutXmax =>
                [ClearXmax(page, pointer, flaw.Item, evidence)],
            FlawKind.HintContradictsLog when flaw.Expected == (long)XidOutcome.Aborted && Claims(page, pointer) =>
                [ClearXmax(page, pointer, flaw.Item, evidence)],
            FlawKind.HintContradictsLog when flaw.Expected == (long)XidOutcome.Committed => [Committed(page, pointer, flaw.Item)],
            _ => [],
        };
    }

    /// <summary>The row as if nobody had deleted, updated or locked it.</summary>
    public static Edit ClearXmax(byte[] page, LinePointer pointer, int item, PageEvidence evidence)
    {
        var after = page.AsSpan(pointer.Offset, 22).ToArray();
        var head = HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(after.AsSpan(4), 0);
        if (evidence.Expected.Block is { } block) Edit.Ctid(0, new Tid(block, item), "").After.CopyTo(after, 12);
        BinaryPrimitives.WriteUInt16LittleEndian(after.AsSpan(18), (ushort)(head.InfoMask2 & ~0x6000));
        BinaryPrimitives.WriteUInt16LittleEndian(after.AsSpan(20), (ushort)(head.InfoMask & ~XmaxBits | XmaxInvalid));
        return new Edit(pointer.Offset + 4, after[4..], $"line pointer {item} was not deleted: clear xmax {head.Xmax}")
        {
            Basis = Basis.Testimony,
            Witnesses = DeletionWitnesses.Hear(page, pointer, item, evidence),
        };
    }

    // Hint or number: one of the two is damaged. That the number is right its siblings tell, and then the log is.
    private static Edit Committed(byte[] page, LinePointer pointer, int item)
    {
        var head = HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length));
        List<Witness> witnesses = [new("log", true, $"the commit log says that transaction {head.Xmin} committed")];
        for (var other = 1; other <= Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems); other++)
        {
            var beside = LinePointer.Read(page, other);
            if (other == item || !HeapPageInspector.IsReadable(page, beside)) continue;
            var sibling = HeapTupleHeader.Read(page.AsSpan(beside.Offset, beside.Length));
            if (sibling.Xmin != head.Xmin || sibling.XminInvalid) continue;
            witnesses.Add(new("sibling", true, $"line pointer {other} was written by the same transaction and is not marked as aborted"));
            break;
        }
        return Edit.Word(pointer.Offset + 20, head.InfoMask & ~XminFrozen | 0x0100, $"line pointer {item} was written by a committed transaction") with
        {
            Basis = Basis.Testimony, Witnesses = witnesses,
        };
    }

    private static List<Edit> Xmin(byte[] page, LinePointer pointer, int item, PageEvidence evidence)
    {
        var head = HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length));
        List<Witness> witnesses = [];
        if (head.XminCommitted) witnesses.Add(new("hint", true, "a server once saw the inserting transaction committed"));
        // The server sets the bit only when it found the transaction committed in the log, and the word that holds it is whole.
        if (head.XminCommitted && evidence.Expected.Columns is not null)
            witnesses.Add(new("intact", true, "every other bit beside that one agrees with the table's columns"));
        if (head.XminInvalid) witnesses.Add(new("hint", false, "a server once saw the inserting transaction aborted"));
        if (PageHeader.Read(page).IsAllVisible || evidence.Expected.MapBits is > 0)
            witnesses.Add(new("all-visible", true, "the page was all-visible"));
        if (evidence.Alive.TryGetValue(item, out var alive)) witnesses.AddRange(alive);
        var before = Predecessor(page, item, evidence);
        if (before is { } known)
        {
            witnesses.Add(new("predecessor", true, $"line pointer {known.Item} was updated into this one by transaction {known.Xmax}"));
            return [Edit.Long(pointer.Offset, known.Xmax, $"line pointer {item} was written by transaction {known.Xmax}") with
            {
                Basis = Basis.Testimony, Witnesses = witnesses,
            }];
        }
        var after = page.AsSpan(pointer.Offset, 22).ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(after, TransactionIds.Frozen);
        BinaryPrimitives.WriteUInt16LittleEndian(after.AsSpan(20), (ushort)(head.InfoMask | XminFrozen));
        return [new Edit(pointer.Offset, after, $"freeze line pointer {item}, whose xmin {head.Xmin} cannot be")
        {
            Basis = Basis.Testimony, Witnesses = witnesses,
        }];
    }

    private static (int Item, uint Xmax)? Predecessor(byte[] page, int item, PageEvidence evidence)
    {
        (int, uint)? found = null;
        for (var other = 1; other <= Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems); other++)
        {
            var pointer = LinePointer.Read(page, other);
            if (other == item || !HeapPageInspector.IsReadable(page, pointer)) continue;
            var head = HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length));
            if (head.Ctid != new Tid(evidence.Expected.Block ?? Tid.NoBlock, item) || head.XmaxIsMulti || head.IsLockedOnly
                || head.XmaxInvalid || !TransactionIds.IsNormal(head.Xmax)) continue;
            if (found is not null) return null;
            found = (other, head.Xmax);
        }
        return found;
    }

    private static bool Claims(byte[] page, LinePointer pointer) =>
        HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length)) is { IsDeletedByHints: true, XmaxIsMulti: false };
}
