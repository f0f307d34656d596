namespace Kintsugi.Pages.Heap;

/// <summary>Finds what cannot be so in the header of one compressed or external value.</summary>
internal static class ValueInspector
{
    /// <summary>Adds the flaws of the value; <paramref name="place"/> carries item, column and byte.</summary>
    public static void Inspect(
        ReadOnlySpan<byte> tuple, in HeapTupleHeader head, AttributeSlice slice, in Flaw place, HeapExpectations expected,
        ICollection<Flaw> flaws)
    {
        if (slice.Form == AttributeForm.Compressed) Compressed(tuple, slice, place, expected, flaws);
        if (slice.Form == AttributeForm.External) External(tuple, head, slice, place, expected, flaws);
    }

    /// <summary>Adds a flaw when a jsonb value that stands in the tuple uncompressed is no document.</summary>
    public static void Jsonb(ReadOnlySpan<byte> tuple, AttributeSlice slice, bool isUtf8, in Flaw place, ICollection<Flaw> flaws)
    {
        if (slice.Form is AttributeForm.Plain or AttributeForm.Packed
            && !JsonbInspector.IsPossible(slice.Data(tuple), isUtf8, out var at))
            flaws.Add(place with { Kind = FlawKind.JsonbImpossible, Actual = at });
    }

    private static void Compressed(
        ReadOnlySpan<byte> tuple, AttributeSlice slice, in Flaw place, HeapExpectations expected, ICollection<Flaw> flaws)
    {
        var word = LittleEndian.U32(tuple, slice.Offset + 4);
        var raw = expected.IsBeforeCompressionMethods ? word : word & ToastPointer.SizeLimit;
        if (raw > ToastPointer.SizeLimit || raw <= slice.Length - 8)
            flaws.Add(place with { Kind = FlawKind.CompressedTooSmall, Actual = raw, Expected = slice.Length - 8 });
        if (!expected.IsBeforeCompressionMethods && word >> 30 > 1)
            flaws.Add(place with { Kind = FlawKind.CompressionUnknown, Actual = word >> 30 });
    }

    private static void External(
        ReadOnlySpan<byte> tuple, in HeapTupleHeader head, AttributeSlice slice, in Flaw place, HeapExpectations expected,
        ICollection<Flaw> flaws)
    {
        var pointer = ToastPointer.Read(slice.Data(tuple));
        if (!head.HasExternal) flaws.Add(place with { Kind = FlawKind.ToastWithoutFlag });
        if (pointer.RawSize is < 4 or > ToastPointer.SizeLimit)
            flaws.Add(place with
            {
                Kind = FlawKind.ToastPointerImpossible, Actual = pointer.RawSize, Expected = ToastPointer.SizeLimit,
            });
        else if (pointer.StoredSize > pointer.RawSize - 4)
            flaws.Add(place with
            {
                Kind = FlawKind.ToastPointerImpossible, Actual = pointer.StoredSize, Expected = pointer.RawSize - 4,
            });
        else if (pointer.IsCompressed && pointer.Method > (expected.IsBeforeCompressionMethods ? 0 : 1))
            flaws.Add(place with { Kind = FlawKind.CompressionUnknown, Actual = pointer.Method });
        if (expected.ToastRelation is { } relation && pointer.ToastRelation != relation)
            flaws.Add(place with
            {
                Kind = FlawKind.ToastRelationWrong, Actual = pointer.ToastRelation, Expected = relation,
            });
    }
}
