using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Crossing;

/// <summary>
/// The bytes of a value as both a row and an index entry mean them, however each stores it: without the varlena header, and unpacked.
/// </summary>
public static class StoredValue
{
    /// <summary>No index entry holds a larger value: a third of a page, and compression that is better than this is none of ours.</summary>
    private const int MostUnpacked = 1 << 20;

    /// <param name="tuple">The row or the entry.</param>
    /// <param name="slice">Where the value stands in it.</param>
    /// <param name="part">The index column.</param>
    /// <param name="scratch">Holds unpacked bytes until the next call; grows as needed.</param>
    /// <param name="value">The bytes.</param>
    /// <returns>False where the value lies elsewhere or cannot be unpacked.</returns>
    public static bool TryRead(
        ReadOnlySpan<byte> tuple, in AttributeSlice slice, in KeyPart part, ref byte[] scratch, out ReadOnlySpan<byte> value)
    {
        value = default;
        switch (slice.Form)
        {
            case AttributeForm.External or AttributeForm.Unreadable:
                return false;
            case AttributeForm.Compressed:
                return TryUnpack(tuple.Slice(slice.Offset, slice.Length), ref scratch, out value);
            case AttributeForm.Missing:
                value = part.Missing;
                break;
            default:
                value = slice.Data(tuple);
                break;
        }
        if (part.IsCutAtZero && value.IndexOf((byte)0) is >= 0 and var end) value = value[..end];
        return true;
    }

    private static bool TryUnpack(ReadOnlySpan<byte> stored, ref byte[] scratch, out ReadOnlySpan<byte> value)
    {
        value = default;
        var word = LittleEndian.U32(stored, 4);
        var length = (int)(word & ToastPointer.SizeLimit);
        if (length > MostUnpacked) return false;
        if (scratch.Length < length) scratch = new byte[length];
        var target = scratch.AsSpan(0, length);
        var isUnpacked = (CompressionMethod)(word >> 30) switch
        {
            CompressionMethod.Pglz => Pglz.TryDecompress(stored[8..], target),
            CompressionMethod.Lz4 => Lz4.TryDecompress(stored[8..], target),
            _ => false,
        };
        value = target;
        return isUnpacked;
    }
}
