using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Crossing;

/// <summary>Which line pointer index entries use for each row version of a heap page (heap_get_root_tuples in pruneheap.c).</summary>
public static class HeapRoots
{
    /// <param name="page">A page whose header is possible.</param>
    /// <param name="updater">The transaction that updated a row version; 0 for none, null where it cannot be told.</param>
    /// <param name="roots">Receives, by line pointer number, the root's number, or 0 where none leads there.</param>
    /// <returns>False where a chain could not be followed, because its multixact cannot be read.</returns>
    public static bool Find(ReadOnlySpan<byte> page, Func<HeapTupleHeader, uint?> updater, Span<int> roots)
    {
        var count = Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems);
        roots[..(count + 1)].Clear();
        var isWhole = true;
        for (var item = 1; item <= count; item++)
        {
            var line = LinePointer.Read(page, item);
            if (line.State == LinePointerState.Redirect)
            {
                isWhole &= Follow(page, count, item, line.Target, 0, updater, roots);
                continue;
            }
            if (!IsReadable(page, line)) continue;
            var head = HeapTupleHeader.Read(page.Slice(line.Offset, line.Length));
            if (head.IsHeapOnly) continue;
            roots[item] = item;
            if (head.IsHotUpdated)
                isWhole &= updater(head) is { } by && Follow(page, count, item, head.Ctid.Item, by, updater, roots);
        }
        return isWhole;
    }

    /// <summary>Whether no row version of the page is part of an update chain: then each is its own root.</summary>
    public static bool IsSimple(ReadOnlySpan<byte> page, int count)
    {
        for (var item = 1; item <= count; item++)
        {
            var line = LinePointer.Read(page, item);
            const int hot = 0xC000;
            if (line.State == LinePointerState.Redirect || IsReadable(page, line) && (LittleEndian.U16(page, line.Offset + 18) & hot) != 0) return false;
        }
        return true;
    }

    /// <summary>Whether a line pointer leads to a row version.</summary>
    public static bool IsReadable(ReadOnlySpan<byte> page, LinePointer line) =>
        line.State == LinePointerState.Normal && line.Length >= HeapTupleHeader.MinimumSize && line.IsReadable(page);

    private static bool Follow(
        ReadOnlySpan<byte> page, int count, int root, int item, uint writer, Func<HeapTupleHeader, uint?> updater, Span<int> roots)
    {
        for (var steps = 0; steps < count && item >= 1 && item <= count; steps++)
        {
            var line = LinePointer.Read(page, item);
            if (!IsReadable(page, line)) return true;
            var head = HeapTupleHeader.Read(page.Slice(line.Offset, line.Length));
            if (!head.IsHeapOnly || writer != 0 && head.Xmin != writer) return true;
            roots[item] = root;
            if (!head.IsHotUpdated) return true;
            if (updater(head) is not { } by) return false;
            writer = by;
            item = head.Ctid.Item;
        }
        return true;
    }
}
