namespace Kintsugi.Pages.Heap;

/// <summary>A tuple whose bytes stand on the page while no line pointer leads to them.</summary>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">Its bytes; up to seven too many when not exact.</param>
/// <param name="IsExact">Whether the length follows from the columns, not only from the gap.</param>
/// <param name="Item">The line pointer that was its own by its ctid, 0 when the tuple does not tell.</param>
/// <param name="Header">Its header.</param>
public readonly record struct LostTuple(int Offset, int Length, bool IsExact, int Item, HeapTupleHeader Header);

/// <summary>Finds lost tuples in the gaps between the others.</summary>
public static class LostTuples
{
    /// <summary>Adds every tuple that can be recognised in a gap of a page whose header is possible.</summary>
    public static void Find(ReadOnlySpan<byte> page, HeapExpectations expected, ICollection<LostTuple> found)
    {
        if (page.Length != PageFormat.Size) return;
        var header = PageHeader.Read(page);
        if (header.IsNew || !header.IsPossible) return;
        Span<int> order = stackalloc int[PageFormat.MaxHeapItems];
        var count = Math.Min(header.ItemCount, PageFormat.MaxHeapItems);
        var end = header.Upper;
        foreach (var key in HeapStorage.Sorted(page, count, order))
        {
            var pointer = LinePointer.Read(page, key & 0xFFFF);
            if (pointer.Offset > end) InGap(page, end, pointer.Offset, count, expected, found);
            end = Math.Max(end, PageFormat.Align(pointer.End));
        }
        if (header.Special > end) InGap(page, end, header.Special, count, expected, found);
    }

    private static void InGap(
        ReadOnlySpan<byte> page, int start, int end, int count, HeapExpectations expected, ICollection<LostTuple> found)
    {
        while (end - start >= HeapTupleHeader.MinimumSize)
        {
            var bytes = page[start..end];
            var head = HeapTupleHeader.Read(bytes);
            if (head.AttributeCount == 0 || head.DataStart != head.ExpectedDataStart || head.DataStart > bytes.Length
                || expected.Columns is { } known && head.AttributeCount > known.Length)
                return;
            var exact = ExactLength(bytes, expected.Columns);
            var own = OwnItem(page, head, count, expected);
            found.Add(new LostTuple(start, exact > 0 ? exact : bytes.Length, exact > 0, own, head));
            if (exact <= 0) return;
            start += PageFormat.Align(exact);
        }
    }

    private static int ExactLength(ReadOnlySpan<byte> bytes, HeapColumn[]? columns) =>
        columns is null ? -1 : TupleReader.Deform(bytes, columns, new AttributeSlice[columns.Length]);

    // A tuple that nobody updated names itself in its ctid.
    private static int OwnItem(ReadOnlySpan<byte> page, in HeapTupleHeader head, int count, HeapExpectations expected)
    {
        var item = head.Ctid.Item;
        if (expected.Block is { } block && head.Ctid.Block != block || item < 1 || item > count) return 0;
        return LinePointer.Read(page, item).State is LinePointerState.Unused or LinePointerState.Dead ? item : 0;
    }
}
