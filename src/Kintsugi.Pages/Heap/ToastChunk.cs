namespace Kintsugi.Pages.Heap;

/// <summary>A row of a TOAST table: one piece of one value.</summary>
/// <param name="ValueId">chunk_id.</param>
/// <param name="Sequence">chunk_seq, from 0.</param>
/// <param name="DataOffset">Where the data begins within the tuple, behind its header.</param>
/// <param name="DataLength">Bytes of data.</param>
public readonly record struct ToastChunk(uint ValueId, int Sequence, int DataOffset, int DataLength)
{
    /// <summary>The columns of every TOAST table: chunk_id oid, chunk_seq integer, chunk_data bytea.</summary>
    public static HeapColumn[] Columns() => [new(4, 4, 26), new(4, 4, 23), new(-1, 4, 17)];

    /// <summary>Reads a chunk; false with flaws when the tuple is none that a server writes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> tuple, out ToastChunk chunk, ICollection<Flaw>? flaws = null, int item = 0)
    {
        chunk = default;
        Span<AttributeSlice> slices = stackalloc AttributeSlice[3];
        if (TupleReader.Deform(tuple, Columns(), slices, flaws, item) < 0) return false;
        for (var index = 0; index < 3; index++)
        {
            if (slices[index].Form is not (AttributeForm.Null or AttributeForm.Missing)) continue;
            flaws?.Add(new Flaw(FlawKind.ChunkNull, 0, item, index + 1));
            return false;
        }
        var data = slices[2];
        if (data.Form is not (AttributeForm.Plain or AttributeForm.Packed))
        {
            flaws?.Add(new Flaw(FlawKind.ChunkHeaderInvalid, data.Offset, item, 3, tuple[data.Offset]));
            return false;
        }
        var sequence = LittleEndian.I32(tuple, slices[1].Offset);
        chunk = new ToastChunk(LittleEndian.U32(tuple, slices[0].Offset), sequence,
            data.Offset + data.HeaderSize, data.Length - data.HeaderSize);
        if (sequence < 0) flaws?.Add(new Flaw(FlawKind.ChunkSequenceNegative, slices[1].Offset, item, 2, sequence));
        if (chunk.DataLength is 0 or > ToastPointer.ChunkSize)
            flaws?.Add(new Flaw(FlawKind.ChunkSizeWrong, data.Offset, item, 3, chunk.DataLength, ToastPointer.ChunkSize));
        return true;
    }
}
