namespace Kintsugi.Pages;

/// <summary>PostgreSQL's own compression, of TOAST values and WAL images (pg_lzcompress.c).</summary>
public static class Pglz
{
    private const int ShortestMatch = 3;
    private const int LongestNibble = 18;

    /// <summary>Fills <paramref name="target"/> exactly; false when the bytes are not of that length or are damaged.</summary>
    public static bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> target)
    {
        int from = 0, to = 0;
        while (from < source.Length && to < target.Length)
        {
            var control = source[from++];
            for (var bit = 0; bit < 8 && from < source.Length && to < target.Length; bit++)
            {
                if ((control >> bit & 1) == 0)
                {
                    target[to++] = source[from++];
                    continue;
                }
                if (from + 2 > source.Length) return false;
                var length = (source[from] & 0x0F) + ShortestMatch;
                var distance = (source[from] & 0xF0) << 4 | source[from + 1];
                from += 2;
                if (length == LongestNibble)
                {
                    if (from >= source.Length) return false;
                    length += source[from++];
                }
                if (distance == 0 || distance > to) return false;
                // The match may run into the bytes that it writes itself, so byte by byte.
                for (length = Math.Min(length, target.Length - to); length > 0; length--, to++)
                    target[to] = target[to - distance];
            }
        }
        return to == target.Length && from == source.Length;
    }
}
