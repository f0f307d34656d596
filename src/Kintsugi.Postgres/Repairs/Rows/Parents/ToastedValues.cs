using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.References;

namespace Kintsugi.Postgres.Repairs.Rows.Parents;

/// <summary>
/// Values that lie outside their row, put together from the pages of the TOAST table: chunks of a deleted row are as dead as the row, but as
/// long as they are there all of them are.
/// </summary>
internal sealed class ToastedValues(Relation? toast, PageSearch pages)
{
    private Dictionary<uint, List<(ToastChunk Chunk, byte[] Data)>>? chunks;

    /// <returns>The value without header, or null where it is not whole.</returns>
    public async ValueTask<byte[]?> Unpacked(byte[] tuple, AttributeSlice slice, int major, CancellationToken cancellationToken)
    {
        switch (slice.Form)
        {
            case AttributeForm.Fixed or AttributeForm.Plain or AttributeForm.Packed or AttributeForm.CString:
                return slice.Data(tuple).ToArray();
            case AttributeForm.Compressed:
                var word = BitConverter.ToUInt32(tuple, slice.Offset + 4);
                return Unpack(slice.Data(tuple), (int)(word & 0x3FFFFFFF), major < 14 ? 0 : (int)(word >> 30));
            case AttributeForm.External:
                var pointer = ToastPointer.Read(slice.Data(tuple));
                return pointer.IsPossible && pointer.ToastRelation == toast?.Oid && await Stored(pointer, cancellationToken) is { } stored
                    ? !pointer.IsCompressed ? stored : Unpack(stored.AsSpan(4), pointer.RawSize - 4, major < 14 ? 0 : pointer.Method) : null;
            default:
                return null;
        }
    }

    private static byte[]? Unpack(ReadOnlySpan<byte> packed, int size, int method)
    {
        var target = new byte[size];
        return method == (int)CompressionMethod.Pglz && Pglz.TryDecompress(packed, target) ? target : null;
    }

    private async ValueTask<byte[]?> Stored(ToastPointer pointer, CancellationToken cancellationToken)
    {
        chunks ??= await Read(cancellationToken);
        if (!chunks.TryGetValue(pointer.ValueId, out var found))
            return null;
        var value = new byte[pointer.StoredSize];
        for (var sequence = 0; sequence < pointer.ChunkCount; sequence++)
        {
            // An id is given again only after its last value has gone: two that differ are no one value.
            var same = found.Where(chunk => chunk.Chunk.Sequence == sequence).Select(chunk => chunk.Data).ToList();
            if (same.Count == 0 || same[0].Length != pointer.ChunkLength(sequence) || same.Exists(other => !other.AsSpan().SequenceEqual(same[0])))
                return null;
            same[0].CopyTo(value, sequence * ToastPointer.ChunkSize);
        }
        return value;
    }

    private async ValueTask<Dictionary<uint, List<(ToastChunk, byte[])>>> Read(CancellationToken cancellationToken)
    {
        var all = new Dictionary<uint, List<(ToastChunk, byte[])>>();
        if (toast is not null)
            await pages.Tuples(toast, (tuple, _) =>
            {
                if (!ToastChunk.TryRead(tuple, out var chunk))
                    return;
                if (!all.TryGetValue(chunk.ValueId, out var list))
                    all[chunk.ValueId] = list = [];
                list.Add((chunk, tuple.Slice(chunk.DataOffset, chunk.DataLength).ToArray()));
            }, cancellationToken);
        return all;
    }
}
