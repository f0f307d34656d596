namespace Kintsugi.Pages;

/// <summary>One LZ4 block, as TOAST has them since PostgreSQL 14 (lz4_Block_format.md of LZ4).</summary>
public static class Lz4
{
    private const int ShortestMatch = 4;
    private const int More = 15;

    /// <summary>Fills <paramref name="target"/> exactly; false when the bytes are not of that length or are damaged.</summary>
    public static bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> target)
    {
        int from = 0, to = 0;
        while (from < source.Length)
        {
            var token = source[from++];
            if (!TryLength(source, token >> 4, ref from, out var literals)) return false;
            if (literals > source.Length - from || literals > target.Length - to) return false;
            source.Slice(from, literals).CopyTo(target[to..]);
            from += literals;
            to += literals;
            // The last sequence is literals alone.
            if (from == source.Length) break;
            if (source.Length - from < 2) return false;
            var distance = LittleEndian.U16(source, from);
            from += 2;
            if (!TryLength(source, token & More, ref from, out var length)) return false;
            length += ShortestMatch;
            if (distance == 0 || distance > to || length > target.Length - to) return false;
            // The match may run into the bytes that it writes itself, so byte by byte.
            for (; length > 0; length--, to++) target[to] = target[to - distance];
        }
        return to == target.Length && from == source.Length;
    }

    private static bool TryLength(ReadOnlySpan<byte> source, int nibble, ref int from, out int length)
    {
        length = nibble;
        if (nibble != More) return true;
        byte next;
        do
        {
            if (from >= source.Length || length > ushort.MaxValue * 64) return false;
            next = source[from++];
            length += next;
        }
        while (next == byte.MaxValue);
        return true;
    }
}
