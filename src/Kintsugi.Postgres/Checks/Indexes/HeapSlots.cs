using Kintsugi.Pages;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>Why no index entry may lead to a place of a heap.</summary>
internal enum SlotFault
{
    None,
    BeyondEnd,
    EmptyPage,
    BeyondItems,
    Unused,
    HeapOnly,
    RedirectBroken,
}

/// <summary>
/// What the line pointers of a heap page mean for indexes (README.HOT): VACUUM takes away index entries before it gives a line pointer free,
/// so an entry never leads to an unused one; and never into the middle of a HOT chain. Dead and aborted rows keep their entries until then.
/// </summary>
internal static class HeapSlots
{
    public static SlotFault Judge(ReadOnlySpan<byte> page, int item)
    {
        var header = PageHeader.Read(page);
        if (header.IsNew)
            return PageHeader.IsAllZero(page) ? SlotFault.EmptyPage : SlotFault.None;
        // What is impossible about the page itself is for the checks of storage and heap.
        if (!header.IsPossible || header.Special != PageFormat.Size)
            return SlotFault.None;
        if (item > header.ItemCount)
            return SlotFault.BeyondItems;
        var line = LinePointer.Read(page, item);
        return line.State switch
        {
            LinePointerState.Unused => SlotFault.Unused,
            LinePointerState.Normal when HeapPageInspector.IsReadable(page, line) && Head(page, line).IsHeapOnly => SlotFault.HeapOnly,
            LinePointerState.Redirect when !LeadsToRow(page, line, header.ItemCount) => SlotFault.RedirectBroken,
            _ => SlotFault.None,
        };
    }

    /// <summary>
    /// The row version that an index entry for this item must be there for: the last one of its HOT chain, written by a transaction that had
    /// ended, and not deleted as far as the page tells; 0 when there is none. The server has the last word on whether it is alive.
    /// </summary>
    public static int LiveMember(ReadOnlySpan<byte> page, int item, uint endedBefore)
    {
        var count = Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems);
        var line = LinePointer.Read(page, item);
        if (line.State == LinePointerState.Redirect)
        {
            if (!LeadsToRow(page, line, count))
                return 0;
            item = line.Target;
            line = LinePointer.Read(page, item);
        }
        else if (line.State != LinePointerState.Normal || !HeapPageInspector.IsReadable(page, line) || Head(page, line).IsHeapOnly)
            return 0;
        for (var steps = 0; steps < count; steps++)
        {
            var head = Head(page, line);
            if (head.XminInvalid || !(head.IsFrozen || TransactionIds.Precedes(head.Xmin, endedBefore)))
                return 0;
            if (!head.IsHotUpdated || head.IsLockedOnly)
                return head.XmaxInvalid || head.IsLockedOnly || head.Xmax == 0 ? item : 0;
            var next = head.Ctid.Item;
            if (next < 1 || next > count || next == item)
                return 0;
            line = LinePointer.Read(page, next);
            if (line.State != LinePointerState.Normal || !HeapPageInspector.IsReadable(page, line) || !Head(page, line).IsHeapOnly)
                return 0;
            item = next;
        }
        return 0;
    }

    private static bool LeadsToRow(ReadOnlySpan<byte> page, LinePointer redirect, int count)
    {
        if (redirect.Target < 1 || redirect.Target > count)
            return false;
        var target = LinePointer.Read(page, redirect.Target);
        return target.State == LinePointerState.Normal && HeapPageInspector.IsReadable(page, target) && Head(page, target).IsHeapOnly;
    }

    private static HeapTupleHeader Head(ReadOnlySpan<byte> page, LinePointer line) =>
        HeapTupleHeader.Read(page.Slice(line.Offset, line.Length));
}
