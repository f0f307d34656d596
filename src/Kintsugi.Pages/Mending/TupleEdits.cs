using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>What one damaged field of a tuple may have been: its header, and the lengths of its values.</summary>
internal static class TupleEdits
{
    // Bits of t_infomask that say what the tuple contains; who may see it is the witnesses' matter.
    private static readonly (int Bit, string Name)[] Contents = [(0x0001, "HASNULL"), (0x0004, "HASEXTERNAL"), (0x2000, "UPDATED")];

    private static readonly (int Bit, string Name)[] Chain = [(0x4000, "HOT_UPDATED"), (0x8000, "ONLY_TUPLE")];

    /// <summary>Every change of one field that might settle the flaw.</summary>
    public static List<Edit> For(byte[] page, in Flaw flaw, PageEvidence evidence)
    {
        List<Edit> edits = [];
        // Without columns nothing contradicts a wrong field.
        if (evidence.Expected.Columns is not { } columns) return edits;
        foreach (var item in Concerned(page, flaw))
        {
            var pointer = LinePointer.Read(page, item);
            if (!HeapPageInspector.IsReadable(page, pointer)) continue;
            var tuple = page.AsSpan(pointer.Offset, pointer.Length);
            var head = HeapTupleHeader.Read(tuple);
            Header(tuple, head, pointer.Offset, item, Counts(page, item, columns.Length), edits);
            if (Self(head, evidence, item) is { } self)
                edits.Add(Edit.Ctid(pointer.Offset + 12, self, $"t_ctid of line pointer {item} names itself"));
            VarlenaEdits.Add(tuple, pointer.Offset, item, columns, evidence.Expected.ToastRelation != 0, edits);
            if (ExactLength(page, pointer, columns) is { } length)
                edits.Add(Edit.Pointer(item, pointer with { Length = length }, $"line pointer {item} says {length} bytes"));
            if (flaw.Kind == FlawKind.ToastRelationWrong && evidence.Expected.ToastRelation is { } toast)
                edits.Add(Edit.Long(flaw.At + 14, toast, $"the TOAST pointer of line pointer {item} leads to the table's own TOAST table"));
        }
        if (IsChain(flaw.Kind)) ChainEdits.Add(page, flaw, evidence, edits);
        edits.RemoveAll(edit => !HeaderIsClean(edit.On(page), edit.At));
        return edits;

        bool HeaderIsClean(byte[] tried, int at)
        {
            for (var item = 1; item <= Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems); item++)
            {
                var pointer = LinePointer.Read(tried, item);
                if (at >= pointer.Offset && at < pointer.End && HeapPageInspector.IsReadable(tried, pointer))
                    return IsClean(tried.AsSpan(pointer.Offset, pointer.Length));
            }
            return true;
        }
    }

    // A chain's flaw is named at one end and may lie at the other.
    private static IEnumerable<int> Concerned(byte[] page, Flaw flaw)
    {
        var count = Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems);
        if (flaw.Item >= 1 && flaw.Item <= count) yield return flaw.Item;
        if (!IsChain(flaw.Kind)) yield break;
        if (flaw.Actual >= 1 && flaw.Actual <= count) yield return (int)flaw.Actual;
        if (flaw.Kind == FlawKind.TwoPredecessors && flaw.Expected >= 1 && flaw.Expected <= count) yield return (int)flaw.Expected;
    }

    private static bool IsChain(FlawKind kind) => kind is FlawKind.HotUpdateNotHeapOnly or FlawKind.PlainUpdateHeapOnly
        or FlawKind.RedirectTargetNotHeapOnly or FlawKind.TwoPredecessors or FlawKind.HeapOnlyRoot or FlawKind.HeapOnlyNotUpdated;

    // The length that the columns give, when no byte but padding lies between it and the length that the line pointer says.
    private static int? ExactLength(byte[] page, LinePointer pointer, HeapColumn[] columns)
    {
        var room = Math.Min(PageFormat.Align(pointer.End), PageFormat.Size);
        var exact = TupleReader.Deform(page.AsSpan(pointer.Offset, room - pointer.Offset), columns, new AttributeSlice[columns.Length]);
        return exact >= HeapTupleHeader.MinimumSize && exact != pointer.Length ? exact : null;
    }

    private static void Header(ReadOnlySpan<byte> tuple, in HeapTupleHeader head, int at, int item, IEnumerable<int> counts, List<Edit> edits)
    {
        edits.Add(Edit.Byte(at + 22, head.ExpectedDataStart, $"t_hoff of line pointer {item} is {head.ExpectedDataStart}"));
        foreach (var (bit, name) in Contents)
            edits.Add(Edit.Word(at + 20, head.InfoMask ^ bit, $"turn {name} of line pointer {item}"));
        foreach (var (bit, name) in Chain)
            edits.Add(Edit.Word(at + 18, head.InfoMask2 ^ bit, $"turn {name} of line pointer {item}"));
        for (var column = 0; head.HasNulls && column < head.AttributeCount && 23 + column / 8 < tuple.Length; column++)
            edits.Add(Edit.Byte(at + 23 + column / 8, tuple[23 + column / 8] ^ 1 << column % 8, $"turn the null bit of column {column + 1} of line pointer {item}"));
        foreach (var count in counts)
            edits.Add(Edit.Word(at + 18, head.InfoMask2 & ~0x07FF | count, $"line pointer {item} has {count} attributes"));
    }

    // As many attributes as the table has, or as another tuple of the page: written before a column was added.
    private static IEnumerable<int> Counts(byte[] page, int item, int columns)
    {
        HashSet<int> counts = [columns];
        for (var other = 1; other <= Math.Min(PageHeader.Read(page).ItemCount, PageFormat.MaxHeapItems); other++)
        {
            var pointer = LinePointer.Read(page, other);
            if (other != item && HeapPageInspector.IsReadable(page, pointer))
                counts.Add(HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length)).AttributeCount);
        }
        return counts.Where(count => count >= 1 && count <= columns);
    }

    // Nobody follows the ctid of a version that nobody replaced; the server writes its own place there.
    private static Tid? Self(in HeapTupleHeader head, PageEvidence evidence, int item) =>
        evidence.Expected.Block is { } block && (head.XmaxInvalid || head.IsLockedOnly) ? new Tid(block, item) : null;

    // The server zeroes what stands between the header and the first column, and bitmap bits of attributes that are not there.
    private static bool IsClean(ReadOnlySpan<byte> tuple)
    {
        var head = HeapTupleHeader.Read(tuple);
        if (head.DataStart != head.ExpectedDataStart || head.DataStart > tuple.Length) return true;
        var bitmapEnd = HeapTupleHeader.FixedSize + head.NullBitmapSize;
        if (tuple[bitmapEnd..head.DataStart].IndexOfAnyExcept((byte)0) >= 0) return false;
        var spare = head.AttributeCount % 8;
        return !head.HasNulls || spare == 0 || tuple[bitmapEnd - 1] >> spare == 0;
    }
}
