using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>
/// Who knows whether a row that reads as deleted was really deleted. The number in xmax is no witness, whatever the commit log or
/// pd_prune_xid say of it: it may be the damage itself, and the deletion as real as ever under another number.
/// </summary>
internal static class DeletionWitnesses
{
    /// <summary>Everything that speaks for the row being alive, and against it.</summary>
    public static IReadOnlyList<Witness> Hear(byte[] page, LinePointer pointer, int item, PageEvidence evidence)
    {
        List<Witness> witnesses = [];
        var header = PageHeader.Read(page);
        var head = HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length));
        var expected = evidence.Expected;
        if (header.IsAllVisible || expected.MapBits is > 0)
            witnesses.Add(new("all-visible", true, "the page was all-visible, which a deletion takes away"));
        // heap_delete and heap_update lower pd_prune_xid to their own id, and pruning sets it to the oldest that it left.
        if (header.PruneXid == 0)
            witnesses.Add(new("prune", true, "pd_prune_xid says that nothing was deleted since the page was pruned"));
        Ctid(page, head, item, expected, witnesses);
        if (evidence.Alive.TryGetValue(item, out var alive)) witnesses.AddRange(alive);
        return witnesses;
    }

    // A deletion leaves ctid as it is and always sets KEYS_UPDATED; an update names its successor.
    private static void Ctid(
        byte[] page, in HeapTupleHeader head, int item, HeapExpectations expected, List<Witness> witnesses)
    {
        if (head.IsMovedToOtherPartition)
        {
            witnesses.Add(new("ctid", false, "it was moved to another partition"));
            return;
        }
        if (expected.Block is not { } block || !head.Ctid.IsPossible) return;
        var keysUpdated = (head.InfoMask2 & 0x2000) != 0;
        if (head.Ctid == new Tid(block, item))
        {
            witnesses.Add(keysUpdated
                ? new Witness("ctid", false, "it is marked as a deletion marks it (KEYS_UPDATED, its own ctid)")
                : new Witness("ctid", true, "its ctid names no successor and KEYS_UPDATED is not set, which a deletion would do"));
            return;
        }
        if (head.Ctid.Block != block)
        {
            witnesses.Add(new("ctid", false, $"it names a successor at {head.Ctid} on a page that was not looked at"));
            return;
        }
        var count = Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems);
        if (head.Ctid.Item > count) return;
        var pointer = LinePointer.Read(page, head.Ctid.Item);
        if (HeapPageInspector.IsReadable(page, pointer)
            && HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length)).Xmin == head.Xmax)
            witnesses.Add(new("ctid", false, $"a newer version stands at {head.Ctid}"));
    }
}
