namespace Kintsugi.Pages.Heap;

/// <summary>
/// Finds what cannot be so on a heap page from its bytes alone: at least what verify_heapam reports, and tuples whose line
/// pointer was lost. Reads nothing but the page, so unlike the server it cannot be crashed by what it reads.
/// </summary>
public static class HeapPageInspector
{
    /// <summary>Adds every flaw of a heap or TOAST page; nothing for a new page or a sound one.</summary>
    public static void Inspect(ReadOnlySpan<byte> page, HeapExpectations expected, ICollection<Flaw> flaws)
    {
        PageHeader.Inspect(page, flaws, expected.WalEnd);
        if (page.Length != PageFormat.Size) return;
        var header = PageHeader.Read(page);
        if (header.IsNew) return;
        if (header.Special != PageFormat.Size)
            flaws.Add(new Flaw(FlawKind.SpecialSpaceWrong, 16, Actual: header.Special, Expected: PageFormat.Size));
        var array = header.Lower - PageFormat.HeaderSize;
        if (array > 0 && array % PageFormat.LinePointerSize != 0)
            flaws.Add(new Flaw(FlawKind.LowerMisaligned, 12, Actual: header.Lower));
        if (header.ItemCount > PageFormat.MaxHeapItems)
            flaws.Add(new Flaw(FlawKind.TooManyItems, 12, Actual: header.ItemCount, Expected: PageFormat.MaxHeapItems));
        if (expected.NextXid != 0 && TransactionIds.IsNormal(header.PruneXid)
            && !TransactionIds.Precedes(header.PruneXid, expected.NextXid))
            flaws.Add(new Flaw(FlawKind.PruneXidInFuture, 20, Actual: header.PruneXid, Expected: expected.NextXid));
        if (expected.MapBits is > 0 && !header.IsAllVisible)
            flaws.Add(new Flaw(FlawKind.MapWithoutPage, 10, Actual: expected.MapBits.Value));

        // A damaged pd_lower must not turn tuple bytes into a flood of line pointers.
        var count = Math.Min(header.ItemCount, PageFormat.MaxHeapItems);
        for (var item = 1; item <= count; item++) InspectItem(page, header, item, count, expected, flaws);
        HeapStorage.Inspect(page, header, count, flaws);
        if (header.IsPossible) HotChains.Inspect(page, count, expected, flaws);
    }

    /// <summary>Whether the line pointer leads to bytes that can be read as a tuple header.</summary>
    public static bool IsReadable(ReadOnlySpan<byte> page, LinePointer line) =>
        line.State == LinePointerState.Normal && line.IsReadable(page)
        && line.Length >= HeapTupleHeader.MinimumSize && (line.Offset & 7) == 0;

    private static void InspectItem(
        ReadOnlySpan<byte> page, in PageHeader header, int item, int count, HeapExpectations expected, ICollection<Flaw> flaws)
    {
        var pointer = LinePointer.Read(page, item);
        var at = LinePointer.Position(item);
        switch (pointer.State)
        {
            case LinePointerState.Unused:
                if (pointer.HasStorage)
                    flaws.Add(new Flaw(FlawKind.UnusedWithStorage, at, item, Actual: pointer.Encode()));
                break;
            case LinePointerState.Dead:
                if (pointer.HasStorage)
                    flaws.Add(new Flaw(FlawKind.DeadWithStorage, at, item, Actual: pointer.Length));
                break;
            case LinePointerState.Redirect:
                HotChains.InspectRedirect(page, pointer, item, count, flaws);
                break;
            default:
                if (InspectPointer(page, header, pointer, item, flaws))
                    TupleInspector.Inspect(page, header, pointer, item, expected, flaws);
                break;
        }
    }

    private static bool InspectPointer(
        ReadOnlySpan<byte> page, in PageHeader header, LinePointer pointer, int item, ICollection<Flaw> flaws)
    {
        var at = LinePointer.Position(item);
        if ((pointer.Offset & 7) != 0)
            flaws.Add(new Flaw(FlawKind.ItemMisaligned, at, item, Actual: pointer.Offset));
        if (pointer.Length < HeapTupleHeader.MinimumSize)
            flaws.Add(new Flaw(FlawKind.ItemTooShort, at, item, Actual: pointer.Length, Expected: HeapTupleHeader.MinimumSize));
        if (pointer.Offset < header.Upper)
            flaws.Add(new Flaw(FlawKind.ItemBeforeUpper, at, item, Actual: pointer.Offset, Expected: header.Upper));
        if (pointer.End > PageFormat.Size)
            flaws.Add(new Flaw(FlawKind.ItemBeyondSpecial, at, item, Actual: pointer.End, Expected: PageFormat.Size));
        return IsReadable(page, pointer);
    }
}
