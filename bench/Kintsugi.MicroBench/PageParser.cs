using BenchmarkDotNet.Attributes;
using Kintsugi.Pages;
using Kintsugi.Pages.Crossing;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.MicroBench;

/// <summary>What the checks of files do with every page: entries of a btree leaf, roots and columns of a heap page.</summary>
public class PageParser
{
    private static readonly HeapColumn[] Columns = [new(4, 4, 23), new(4, 4, 23), new(-1, 4, 25)];

    private readonly byte[] leaf = Captured.Page("btree-leaf");
    private readonly byte[] heap = Captured.Page("heap-hot");
    private readonly IndexPageContent content = new();
    private readonly int[] roots = new int[PageFormat.MaxHeapItems + 1];
    private readonly AttributeSlice[] slices = new AttributeSlice[Columns.Length];

    [Benchmark]
    public int BtreeLeaf()
    {
        IndexTids.Read(IndexKind.Btree, leaf, 1, content);
        return content.Rows.Count;
    }

    [Benchmark]
    public bool HeapRootsOfAPage() => HeapRoots.Find(heap, tuple => tuple.Xmax, roots);

    [Benchmark]
    public int HeapColumnsOfAPage()
    {
        var end = 0;
        for (var item = 1; item <= PageHeader.Read(heap).ItemCount; item++)
            if (LinePointer.Read(heap, item) is var line && HeapRoots.IsReadable(heap, line))
                end += TupleReader.Deform(heap.AsSpan(line.Offset, line.Length), Columns, slices);
        return end;
    }
}
