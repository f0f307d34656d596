namespace Kintsugi.Pages.Heap;

/// <summary>Finds what cannot be so within one tuple.</summary>
internal static class TupleInspector
{
    // A stack frame for the usual table; wider ones borrow from the heap.
    private const int UsualColumns = 64;
    private const uint JsonbType = 3802;

    /// <summary>Adds the flaws of a tuple whose bytes can be read.</summary>
    public static void Inspect(
        ReadOnlySpan<byte> page, in PageHeader header, LinePointer pointer, int item, HeapExpectations expected,
        ICollection<Flaw> flaws)
    {
        var tuple = page.Slice(pointer.Offset, pointer.Length);
        var head = HeapTupleHeader.Read(tuple);
        InspectHeader(head, tuple, pointer.Offset, item, expected, flaws);
        InspectCtid(head, pointer.Offset, item, expected, flaws);
        TupleVisibility.Inspect(header, head, pointer.Offset, item, expected, flaws);
        if (expected.Columns is { } columns && head.AttributeCount <= columns.Length
            && head.DataStart == head.ExpectedDataStart && head.DataStart <= tuple.Length)
            InspectAttributes(tuple, head, pointer.Offset, item, columns, expected, flaws);
    }

    private static void InspectHeader(
        in HeapTupleHeader head, ReadOnlySpan<byte> tuple, int at, int item, HeapExpectations expected, ICollection<Flaw> flaws)
    {
        if (head.DataStart > tuple.Length)
            flaws.Add(new Flaw(FlawKind.HoffBeyondTuple, at + 22, item, Actual: head.DataStart, Expected: tuple.Length));
        if (head.DataStart != head.ExpectedDataStart)
            flaws.Add(new Flaw(FlawKind.HoffWrong, at + 22, item, Actual: head.DataStart, Expected: head.ExpectedDataStart));
        if (expected.Columns is { } columns && head.AttributeCount > columns.Length)
            flaws.Add(new Flaw(FlawKind.TooManyAttributes, at + 18, item, Actual: head.AttributeCount, Expected: columns.Length));
        if (head.XmaxCommitted && head.XmaxIsMulti)
            flaws.Add(new Flaw(FlawKind.XmaxCommittedMulti, at + 20, item, Actual: head.InfoMask));
        if (head.IsHotUpdated && head.Xmax == 0)
            flaws.Add(new Flaw(FlawKind.HotUpdatedWithoutXmax, at + 18, item));
        if (head.IsHeapOnly && !head.IsUpdated)
            flaws.Add(new Flaw(FlawKind.HeapOnlyNotUpdated, at + 20, item, Actual: head.InfoMask));
        if (head.HasNulls && head.DataStart == head.ExpectedDataStart && head.DataStart <= tuple.Length
            && !NamesNull(tuple, head))
            flaws.Add(new Flaw(FlawKind.NullBitmapWithoutNulls, at + 20, item, Actual: head.AttributeCount));
    }

    private static bool NamesNull(ReadOnlySpan<byte> tuple, in HeapTupleHeader head)
    {
        for (var index = 0; index < head.AttributeCount; index++)
            if (head.IsNull(tuple, index)) return true;
        return false;
    }

    private static void InspectCtid(
        in HeapTupleHeader head, int at, int item, HeapExpectations expected, ICollection<Flaw> flaws)
    {
        // The token of ON CONFLICT gives way to the row's own place before its transaction can commit.
        if (head.IsSpeculative && (head.XminCommitted || expected.CommitLog?.Invoke(head.Xmin) == XidOutcome.Committed))
            flaws.Add(new Flaw(FlawKind.CtidImpossible, at + 12, item, Actual: head.Ctid.Item, Expected: head.Ctid.Block));
        if (head.IsMovedToOtherPartition || head.IsSpeculative || head.Ctid.IsPossible && head.Ctid.Block < 0xFFFFFFFE) return;
        flaws.Add(new Flaw(FlawKind.CtidImpossible, at + 12, item, Actual: head.Ctid.Item, Expected: head.Ctid.Block));
    }

    private static void InspectAttributes(
        ReadOnlySpan<byte> tuple, in HeapTupleHeader head, int at, int item, HeapColumn[] columns, HeapExpectations expected,
        ICollection<Flaw> flaws)
    {
        var slices = columns.Length <= UsualColumns
            ? stackalloc AttributeSlice[UsualColumns]
            : new AttributeSlice[columns.Length];
        var before = flaws.Count;
        var end = TupleReader.Deform(tuple, columns, slices, flaws, item);
        for (var index = 0; index < Math.Min(columns.Length, head.AttributeCount); index++)
        {
            var place = new Flaw(FlawKind.None, at + slices[index].Offset, item, index + 1);
            if (slices[index].Form == AttributeForm.Null && columns[index] is { NotNull: true, IsDropped: false })
                flaws.Add(place with { Kind = FlawKind.NullInNotNullColumn });
            ValueInspector.Inspect(tuple, head, slices[index], place, expected, flaws);
            if (columns[index].TypeId == JsonbType) ValueInspector.Jsonb(tuple, slices[index], expected.IsUtf8, place, flaws);
            else TypedValues.Inspect(tuple, slices[index], columns[index].TypeId, place, flaws);
            if (!head.HasVarlena && slices[index].Form is AttributeForm.Packed or AttributeForm.Plain or AttributeForm.Compressed or AttributeForm.External)
                flaws.Add(place with { Kind = FlawKind.VarlenaWithoutFlag });
        }
        // heap_form_tuple makes a tuple exactly as long as its columns.
        if (end >= 0 && end != tuple.Length && flaws.Count == before)
            flaws.Add(new Flaw(FlawKind.TupleTailUnread, at + end, item, Actual: end, Expected: tuple.Length));
    }
}
