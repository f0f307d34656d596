using Kintsugi.Pages;
using Kintsugi.Pages.Crossing;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>A row version that everyone sees, and the line pointer that index entries use for it.</summary>
internal readonly ref struct SeenRow(Tid root, ReadOnlySpan<byte> tuple, ReadOnlySpan<AttributeSlice> columns)
{
    public Tid Root { get; } = root;
    public ReadOnlySpan<byte> Tuple { get; } = tuple;
    public ReadOnlySpan<AttributeSlice> Columns { get; } = columns;
}

internal delegate bool RowSight(SeenRow row);

/// <summary>Reads heap pages as a new reader of a stopped server would see them.</summary>
internal sealed class HeapSide(HeapColumn[] columns, TransactionLog transactions)
{
    private readonly AttributeSlice[] slices = new AttributeSlice[columns.Length];
    private readonly int[] roots = new int[PageFormat.MaxHeapItems + 1];
    private Func<HeapTupleHeader, uint?>? updater;
    private readonly Place[] places = new Place[PageFormat.MaxHeapItems + 1];

    /// <summary>Row versions that cannot be right, each with the reason; the first few of them.</summary>
    public List<(Tid Tid, string Why)> Impossible { get; } = [];

    /// <summary>Row versions of which pg_xact or pg_multixact does not tell whether they are seen.</summary>
    public long Unknown { get; private set; }

    /// <summary>Columns that have to be found in a row: those up to the last one that an index keeps.</summary>
    public int Needed { get; init; } = columns.Length;

    /// <param name="page">A page of the heap that can be believed.</param>
    /// <param name="block">Its number.</param>
    /// <param name="see">Called for each row that everyone sees; false when some index cannot decide its key.</param>
    /// <returns>What each line pointer means for index entries.</returns>
    public ReadOnlySpan<Place> Read(ReadOnlySpan<byte> page, uint block, RowSight see)
    {
        var count = Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems);
        var isSimple = HeapRoots.IsSimple(page, count);
        var isWhole = isSimple || HeapRoots.Find(page, updater ??= tuple => transactions.Updater(tuple), roots);
        for (var item = 1; item <= count; item++)
            (roots[item], places[item]) = isSimple
                ? (item, LinePointer.Read(page, item).State == LinePointerState.Unused ? Place.Barred : Place.Free)
                : (roots[item], PlaceOf(page, item, count));
        for (var item = 1; item <= count; item++)
        {
            var line = LinePointer.Read(page, item);
            if (!HeapRoots.IsReadable(page, line))
                continue;
            var tuple = page.Slice(line.Offset, line.Length);
            var head = HeapTupleHeader.Read(tuple);
            if (transactions.IsVisible(head) is not { } visible)
            {
                Doubt(roots[item]);
                continue;
            }
            if (!visible)
                continue;
            var root = roots[item];
            if (root == 0)
            {
                if (isWhole)
                    Accuse(new Tid(block, item), "a row that everyone sees stands in no update chain that an index entry could lead to");
                continue;
            }
            if (TupleReader.Deform(tuple, columns.AsSpan(0, Needed), slices) < 0)
            {
                Accuse(new Tid(block, item), "its columns cannot be found in it");
                Doubt(root);
                continue;
            }
            places[root] = see(new SeenRow(new Tid(block, root), tuple, slices)) && places[root] != Place.Undecided ? Place.Live : Place.Undecided;
        }
        return places.AsSpan(0, count + 1);
    }

    private void Accuse(Tid tid, string why)
    {
        const int most = 200;
        if (Impossible.Count < most)
            Impossible.Add((tid, why));
    }

    private void Doubt(int root)
    {
        Unknown++;
        if (root != 0)
            places[root] = Place.Free;
    }

    private static Place PlaceOf(ReadOnlySpan<byte> page, int item, int count)
    {
        var line = LinePointer.Read(page, item);
        return line.State switch
        {
            LinePointerState.Unused => Place.Barred,
            LinePointerState.Dead => Place.Free,
            LinePointerState.Redirect => LeadsToRow(page, line.Target, count) ? Place.Free : Place.Barred,
            // A tuple that cannot be read is for the checks of the heap.
            _ => HeapRoots.IsReadable(page, line) && HeapTupleHeader.Read(page.Slice(line.Offset, line.Length)).IsHeapOnly ? Place.Barred : Place.Free,
        };
    }

    private static bool LeadsToRow(ReadOnlySpan<byte> page, int target, int count)
    {
        if (target < 1 || target > count)
            return false;
        var line = LinePointer.Read(page, target);
        return HeapRoots.IsReadable(page, line) && HeapTupleHeader.Read(page.Slice(line.Offset, line.Length)).IsHeapOnly;
    }
}
