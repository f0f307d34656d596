using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Description;

/// <summary>Line pointers, tuples, columns and lost tuples of a heap or TOAST page.</summary>
internal static class HeapDescriber
{
    public static void Describe(
        ReadOnlySpan<byte> page, in PageHeader header, PageSubject subject, List<PageField> parts, List<Flaw> flaws)
    {
        var expected = subject.Heap with { Block = subject.Block };
        if (subject.IsToast && expected.Columns is null) expected = expected with { Columns = ToastChunk.Columns() };
        HeapPageInspector.Inspect(page, expected, flaws);
        var count = Math.Min(header.ItemCount, PageFormat.MaxHeapItems);
        for (var item = 1; item <= count; item++) parts.Add(Item(page, item, subject, expected, flaws));
        var lost = new List<LostTuple>();
        LostTuples.Find(page, expected, lost);
        foreach (var tuple in lost)
        {
            var own = tuple.Item == 0 ? "its line pointer is not known" : $"it was item {tuple.Item}";
            parts.Add(new PageField("lost tuple", tuple.Offset, tuple.Length, own)
            {
                Fields = [.. Tuple(page.Slice(tuple.Offset, tuple.Length), tuple.Offset, subject, expected)],
                Wrong = ["no line pointer leads to these bytes"],
            });
        }
    }

    private static PageField Item(
        ReadOnlySpan<byte> page, int item, PageSubject subject, HeapExpectations expected, List<Flaw> flaws)
    {
        var line = LinePointer.Read(page, item);
        var value = line.State switch
        {
            LinePointerState.Redirect => $"redirect to item {line.Target}",
            LinePointerState.Normal => $"{line.Length} bytes at {line.Offset}",
            _ => line.State == LinePointerState.Dead ? "dead" : "unused",
        };
        return new PageField($"item {item}", LinePointer.Position(item), PageFormat.LinePointerSize, value)
        {
            Fields = HeapPageInspector.IsReadable(page, line)
                ? [.. Tuple(page.Slice(line.Offset, line.Length), line.Offset, subject, expected)]
                : [],
            Wrong = PageDescriber.WrongWith(flaws, item),
        };
    }

    private static List<PageField> Tuple(ReadOnlySpan<byte> tuple, int at, PageSubject subject, HeapExpectations expected)
    {
        var head = HeapTupleHeader.Read(tuple);
        List<PageField> fields =
        [
            new("t_xmin", at, 4, head.IsFrozen ? $"{head.Xmin} (frozen)" : $"{head.Xmin}"),
            new("t_xmax", at + 4, 4, head.XmaxIsMulti ? $"{head.Xmax} (multixact)" : $"{head.Xmax}"),
            new("t_cid", at + 8, 4, $"{head.Command}"),
            new("t_ctid", at + 12, 6, head.IsMovedToOtherPartition ? "moved to another partition" : $"{head.Ctid}"),
            new("t_infomask2", at + 18, 2, $"0x{head.InfoMask2:X4}: {head.AttributeCount} attributes{Hot(head)}"),
            new("t_infomask", at + 20, 2, $"0x{head.InfoMask:X4}: {Hints(head)}"),
            new("t_hoff", at + 22, 1, $"{head.DataStart}"),
        ];
        if (expected.Columns is not { } columns) return fields;
        var slices = new AttributeSlice[columns.Length];
        TupleReader.Deform(tuple, columns, slices);
        for (var index = 0; index < slices.Length; index++)
        {
            var name = subject.ColumnNames is { } names && index < names.Count ? names[index] : $"column {index + 1}";
            var slice = slices[index];
            var start = slice.Length == 0 ? -1 : at + slice.Offset;
            fields.Add(new PageField(name, start, slice.Length, Value(tuple, slice, columns[index])));
        }
        return fields;
    }

    private static string Hot(in HeapTupleHeader head) =>
        (head.IsHeapOnly ? ", heap-only" : "") + (head.IsHotUpdated ? ", HOT updated" : "");

    private static string Hints(in HeapTupleHeader head)
    {
        var xmin = head.IsFrozen ? "xmin frozen"
            : head.XminCommitted ? "xmin committed"
            : head.XminInvalid ? "xmin aborted" : "xmin unknown";
        var xmax = head.XmaxInvalid ? "no xmax"
            : head.IsLockedOnly ? "locked"
            : head.XmaxCommitted ? "xmax committed" : "xmax unknown";
        return $"{xmin}, {xmax}{(head.HasNulls ? ", nulls" : "")}{(head.HasExternal ? ", external" : "")}";
    }

    private static string Value(ReadOnlySpan<byte> tuple, AttributeSlice slice, in HeapColumn column)
    {
        if (slice.Form == AttributeForm.External)
        {
            var toast = ToastPointer.Read(slice.Data(tuple));
            return $"TOAST value {toast.ValueId} of {toast.RawSize} bytes, {toast.StoredSize} stored";
        }
        var dropped = column.IsDropped ? " (dropped)" : "";
        return slice.Form switch
        {
            AttributeForm.Missing => "missing: the tuple is older than the column" + dropped,
            AttributeForm.Null => "null" + dropped,
            AttributeForm.Unreadable => "unreadable",
            AttributeForm.Compressed => $"{slice.Length} bytes compressed{dropped}",
            _ => Bytes(slice.Data(tuple)) + dropped,
        };
    }

    // What reads as ASCII is shown as text: most damage is seen by eye there.
    private static string Bytes(ReadOnlySpan<byte> data)
    {
        const int Most = 40;
        var shown = data.Length > Most ? data[..Most] : data;
        var more = data.Length > Most ? $" … {data.Length} bytes" : "";
        return shown.Length > 0 && shown.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) < 0
            ? $"'{System.Text.Encoding.ASCII.GetString(shown)}'{more}"
            : Convert.ToHexStringLower(shown) + more;
    }
}
