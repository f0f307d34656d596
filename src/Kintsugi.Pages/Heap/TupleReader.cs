namespace Kintsugi.Pages.Heap;

/// <summary>Finds the columns of a tuple without believing it: every step is bounded by the tuple's end.</summary>
public static class TupleReader
{
    /// <summary>
    /// Fills one slice for each column; where the tuple is impossible, adds a flaw and leaves the rest unreadable.
    /// </summary>
    /// <param name="tuple">The tuple's bytes by its line pointer.</param>
    /// <param name="columns">Every column of the table, dropped ones included.</param>
    /// <param name="slices">Receives the places; at least as many as columns.</param>
    /// <param name="flaws">Receives what is impossible; null when nobody asks.</param>
    /// <param name="item">Line pointer number for the flaws.</param>
    /// <returns>The end of the last readable column within the tuple, -1 when the tuple cannot be read to its end.</returns>
    public static int Deform(
        ReadOnlySpan<byte> tuple, ReadOnlySpan<HeapColumn> columns, Span<AttributeSlice> slices,
        ICollection<Flaw>? flaws = null, int item = 0)
    {
        slices[..columns.Length].Fill(new AttributeSlice(AttributeForm.Unreadable, 0, 0));
        if (tuple.Length < HeapTupleHeader.MinimumSize) return -1;
        var header = HeapTupleHeader.Read(tuple);
        if (header.DataStart != header.ExpectedDataStart || header.DataStart > tuple.Length) return -1;
        var at = header.DataStart;
        for (var index = 0; index < columns.Length; index++)
        {
            ref var slice = ref slices[index];
            if (index >= header.AttributeCount) slice = new AttributeSlice(AttributeForm.Missing, 0, 0);
            else if (header.IsNull(tuple, index)) slice = new AttributeSlice(AttributeForm.Null, 0, 0);
            else if (TryPlain(tuple, columns[index], ref at, out slice)) continue;
            else if (Locate(tuple, columns[index], at, out slice, out var flaw)) at = slice.End;
            else
            {
                flaws?.Add(flaw with { Item = item, Column = index + 1 });
                return -1;
            }
        }
        return at;
    }

    /// <summary>What nearly all columns are: of fixed length, or a varlena with a short header. The rest is for <see cref="Locate"/>.</summary>
    internal static bool TryPlain(ReadOnlySpan<byte> tuple, in HeapColumn column, ref int at, out AttributeSlice slice)
    {
        if (column.Length > 0)
        {
            var start = AlignTo(at, column.Alignment);
            slice = new AttributeSlice(AttributeForm.Fixed, start, column.Length);
            if (slice.End > tuple.Length) return false;
        }
        else
        {
            var first = column.Length == -1 && at < tuple.Length ? tuple[at] : 0;
            slice = new AttributeSlice(AttributeForm.Packed, at, first >> 1);
            if ((first & 1) == 0 || first == 1 || slice.End > tuple.Length) return false;
        }
        at = slice.End;
        return true;
    }

    internal static bool Locate(
        ReadOnlySpan<byte> tuple, in HeapColumn column, int at, out AttributeSlice slice, out Flaw flaw)
    {
        flaw = default;
        slice = new AttributeSlice(AttributeForm.Unreadable, at, 0);
        // A varlena is aligned only when a zero byte says that padding follows: a short header is never zero.
        if (column.Length != -1 || at >= tuple.Length || tuple[at] == 0) at = AlignTo(at, column.Alignment);
        if (at > tuple.Length || (at == tuple.Length && column.Length != 0)) return Beyond(at, tuple, out flaw);
        slice = column.Length switch
        {
            -1 => Varlena(tuple, at, out flaw),
            -2 => CString(tuple, at, out flaw),
            _ => new AttributeSlice(AttributeForm.Fixed, at, column.Length),
        };
        if (slice.Form == AttributeForm.Unreadable) return false;
        if (slice.End <= tuple.Length && slice.End >= at && column.Length >= -2) return true;
        var end = slice.End;
        slice = new AttributeSlice(AttributeForm.Unreadable, at, 0);
        return Beyond(end, tuple, out flaw);
    }

    private static AttributeSlice Varlena(ReadOnlySpan<byte> tuple, int at, out Flaw flaw)
    {
        flaw = default;
        var first = tuple[at];
        if (first == 1) return External(tuple, at, out flaw);
        if ((first & 1) != 0) return new AttributeSlice(AttributeForm.Packed, at, first >> 1);
        if (at + 4 > tuple.Length) return Invalid(at, first, out flaw);
        var word = LittleEndian.U32(tuple, at);
        var length = (int)(word >> 2);
        var compressed = (word & 3) == 2;
        if (length < (compressed ? 8 : 4)) return Invalid(at, word, out flaw);
        return new AttributeSlice(compressed ? AttributeForm.Compressed : AttributeForm.Plain, at, length);
    }

    private static AttributeSlice External(ReadOnlySpan<byte> tuple, int at, out Flaw flaw)
    {
        flaw = default;
        if (at + 1 < tuple.Length && tuple[at + 1] == ToastPointer.DiskTag)
            return new AttributeSlice(AttributeForm.External, at, ToastPointer.Size);
        flaw = new Flaw(FlawKind.ToastTagUnknown, at, Actual: at + 1 < tuple.Length ? tuple[at + 1] : -1,
            Expected: ToastPointer.DiskTag);
        return new AttributeSlice(AttributeForm.Unreadable, at, 0);
    }

    private static AttributeSlice CString(ReadOnlySpan<byte> tuple, int at, out Flaw flaw)
    {
        var length = tuple[at..].IndexOf((byte)0) + 1;
        flaw = length == 0 ? new Flaw(FlawKind.CStringUnterminated, at, Expected: tuple.Length) : default;
        return new AttributeSlice(length == 0 ? AttributeForm.Unreadable : AttributeForm.CString, at, length);
    }

    private static AttributeSlice Invalid(int at, uint word, out Flaw flaw)
    {
        flaw = new Flaw(FlawKind.VarlenaHeaderInvalid, at, Actual: word);
        return new AttributeSlice(AttributeForm.Unreadable, at, 0);
    }

    private static bool Beyond(int end, ReadOnlySpan<byte> tuple, out Flaw flaw)
    {
        flaw = new Flaw(FlawKind.AttributeBeyondTuple, Math.Min(end, tuple.Length), Actual: end, Expected: tuple.Length);
        return false;
    }

    private static int AlignTo(int at, int alignment) => alignment <= 1 ? at : (at + alignment - 1) & -alignment;
}
