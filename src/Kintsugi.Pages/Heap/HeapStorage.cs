namespace Kintsugi.Pages.Heap;

/// <summary>
/// The space between pd_upper and the special space. Every removal of a tuple compacts the page at once
/// (PageRepairFragmentation), so tuples lie without a gap: a gap is a tuple whose line pointer was lost.
/// </summary>
internal static class HeapStorage
{
    /// <summary>Adds overlaps and gaps.</summary>
    public static void Inspect(ReadOnlySpan<byte> page, in PageHeader header, int count, ICollection<Flaw> flaws)
    {
        Span<int> order = stackalloc int[PageFormat.MaxHeapItems];
        var end = Math.Clamp(header.Upper, PageFormat.HeaderSize, PageFormat.Size);
        foreach (var key in Sorted(page, count, order))
        {
            var pointer = LinePointer.Read(page, key & 0xFFFF);
            if (pointer.Offset < end && pointer.Offset >= header.Upper)
                flaws.Add(new Flaw(FlawKind.ItemsOverlap, LinePointer.Position(key & 0xFFFF), key & 0xFFFF,
                    Actual: pointer.Offset, Expected: end));
            else if (header.IsPossible && pointer.Offset > end)
                flaws.Add(new Flaw(FlawKind.ItemGap, end, Actual: pointer.Offset - end));
            end = Math.Max(end, PageFormat.Align(pointer.End));
        }
        if (header.IsPossible && end < header.Special)
            flaws.Add(new Flaw(FlawKind.ItemGap, end, Actual: header.Special - end));
    }

    /// <summary>Readable items as offset and number in one integer, in the order of their bytes.</summary>
    public static ReadOnlySpan<int> Sorted(ReadOnlySpan<byte> page, int count, Span<int> order)
    {
        var used = 0;
        for (var item = 1; item <= count; item++)
        {
            var pointer = LinePointer.Read(page, item);
            if (pointer.State is LinePointerState.Normal && pointer.IsReadable(page))
                order[used++] = (pointer.Offset << 16) | item;
        }
        order[..used].Sort();
        return order[..used];
    }
}
