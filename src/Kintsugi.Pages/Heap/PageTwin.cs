namespace Kintsugi.Pages.Heap;

/// <summary>
/// A page that was written to the wrong place: its rows say where they belong. A row that nobody updated carries its own place in t_ctid (heap_insert,
/// heap_update in heapam.c). That alone proves nothing, since an update that was rolled back leaves the place of its lost successor there, and freezing
/// takes away the xmax that told so; but then another transaction's row was there. What proves it is the same rows in the place that they name.
/// </summary>
public static class PageTwin
{
    /// <summary>One row may be chance.</summary>
    private const int Least = 2;

    /// <summary>The other block that every row of the page names as its own, or null. The page's header must be possible.</summary>
    public static uint? Home(ReadOnlySpan<byte> page, uint block)
    {
        uint? home = null;
        var rows = 0;
        var count = Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems);
        for (var item = 1; item <= count; item++)
        {
            if (Read(page, item) is not var (header, _) || header.Xmax != 0 || header.IsSpeculative || header.IsMoved)
                continue;
            if (header.Ctid.Block == block || header.Ctid.Item != item || header.Ctid.Block != (home ?? header.Ctid.Block))
                return null;
            home = header.Ctid.Block;
            rows++;
        }
        return rows >= Least ? home : null;
    }

    /// <summary>Whether rows of the one page stand in the same places of the other, written by the same transactions, byte for byte.</summary>
    /// <param name="page">One for which <see cref="Home"/> named a block.</param>
    /// <param name="home">The page of that block; what was deleted or cleared away there since says nothing.</param>
    public static bool IsSame(ReadOnlySpan<byte> page, ReadOnlySpan<byte> home)
    {
        var same = 0;
        var header = PageHeader.Read(home);
        if (header.IsNew || !header.IsPossible)
            return false;
        var count = Math.Min(Math.Min(header.ItemCount, PageHeader.Read(page).ItemCount), PageFormat.MaxHeapItems);
        for (var item = 1; item <= count; item++)
            if (Read(page, item) is { Header.Xmax: 0 } here && Read(home, item) is { } there)
            {
                if (here.Header.Xmin != there.Header.Xmin || !Body(page, here).SequenceEqual(Body(home, there)))
                    return false;
                same++;
            }
        return same >= Least;
    }

    private static (HeapTupleHeader Header, LinePointer Line)? Read(ReadOnlySpan<byte> page, int item)
    {
        var line = LinePointer.Read(page, item);
        return HeapPageInspector.IsReadable(page, line) ? (HeapTupleHeader.Read(page.Slice(line.Offset, line.Length)), line) : null;
    }

    /// <summary>Behind the fields that reading and locking rows may alter.</summary>
    private static ReadOnlySpan<byte> Body(ReadOnlySpan<byte> page, (HeapTupleHeader Header, LinePointer Line) row) =>
        page.Slice(row.Line.Offset + HeapTupleHeader.FixedSize - 1, row.Line.Length - HeapTupleHeader.FixedSize + 1);
}
