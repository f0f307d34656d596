namespace Kintsugi.Pages.Heap;

/// <summary>Whether bytes can be a tsvector (ts_type.h): a number of words, where each of them lies, then the words.</summary>
internal static class TextSearchValues
{
    public static bool IsVector(ReadOnlySpan<byte> value)
    {
        if (value.Length < 4) return false;
        var words = LittleEndian.I32(value, 0);
        if (words < 0 || words > (value.Length - 4) / 4) return false;
        var space = value[(4 + (words * 4))..];
        ReadOnlySpan<byte> before = default;
        for (var word = 0; word < words; word++)
        {
            var entry = LittleEndian.U32(value, 4 + (word * 4));
            var (length, at) = ((int)((entry >> 1) & 0x7FF), (int)(entry >> 12));
            if (at + length > space.Length) return false;
            var own = space.Slice(at, length);
            // Searched by halves: bytes first, the shorter of two with one beginning before the longer (tsCompareString).
            if (word > 0 && before.SequenceCompareTo(own) >= 0) return false;
            before = own;
        }
        return true;
    }
}
