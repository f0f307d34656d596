using Kintsugi.Pages;
using Kintsugi.Pages.Crossing;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>The order of keys along one level of a btree: within each page, under its high key, and over the high key of the page before.</summary>
internal sealed class PageOrder(IndexSide index)
{
    private readonly KeyComparer comparer = new(index.Shape.Parts, index.Shape.KeyColumns);
    private readonly ulong?[] digests = new ulong?[PageFormat.Size / PageFormat.LinePointerSize];
    private byte[] high = [];

    /// <summary>By item, the digests of the leaf that was judged last: order and digest need the same places within an entry.</summary>
    public ReadOnlySpan<ulong?> Digests => digests;

    public void BeginLevel() => high = [];

    /// <summary>Whether a separator of the level above is the high key of the page that was judged last.</summary>
    public bool IsSeparator(ReadOnlySpan<byte> separator) => PivotCursor.AreSame(separator, high);

    /// <returns>What is out of order, or null.</returns>
    public string? Judge(ReadOnlyMemory<byte> memory, in BtreePage own)
    {
        var page = memory.Span;
        var count = PageHeader.Read(page).ItemCount;
        var inner = !own.IsLeaf;
        // The first downlink of an inner page has no key: it stands for everything below the second.
        var first = own.FirstEntry + (inner ? 1 : 0);
        ReadOnlySpan<byte> before = high;
        var beforeShape = before.IsEmpty ? default : Shape(before, isInner: true);
        // Whether the comparer knows the entry before from its last call.
        var (isStrict, isNext) = (true, false);
        for (var item = first; item <= count; item++)
        {
            var entry = Entry(page, item);
            var shape = Shape(entry, inner);
            var isPlain = !isStrict && comparer.IsPlainlyBefore(before, entry);
            if (!isPlain && !before.IsEmpty && comparer.Compare(before, beforeShape, entry, shape, isNext) is >= 0)
                return isStrict ? $"item {first} is not larger than the high key of the page before" : $"items {item - 1} and {item} are out of order";
            isNext = !isPlain && !before.IsEmpty;
            if (!inner)
                digests[item] = isNext && !comparer.Right.IsEmpty ? index.DigestEntry(entry, comparer.Right) : index.DigestEntry(entry);
            before = entry;
            beforeShape = shape;
            isStrict = false;
        }
        if (own.Right == 0)
        {
            high = [];
            return null;
        }
        var top = Entry(page, 1);
        if (!isStrict && comparer.Compare(before, beforeShape, top, Shape(top, isInner: true), isNext) is { } last && (inner ? last >= 0 : last > 0))
            return $"item {count} is larger than the page's high key";
        high = top.ToArray();
        return null;
    }

    private EntryShape Shape(ReadOnlySpan<byte> entry, bool isInner) => EntryShape.Read(entry, index.Shape.Parts.Length, isInner);

    private static ReadOnlySpan<byte> Entry(ReadOnlySpan<byte> page, int item)
    {
        var line = LinePointer.Read(page, item);
        return page.Slice(line.Offset, line.Length);
    }
}
