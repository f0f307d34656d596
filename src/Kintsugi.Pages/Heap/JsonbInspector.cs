using System.Text.Unicode;

namespace Kintsugi.Pages.Heap;

/// <summary>
/// Finds jsonb values whose tree of lengths cannot be (jsonb.h): the server believes these lengths and reads wherever they
/// lead, and no server tool checks them.
/// </summary>
public static class JsonbInspector
{
    private const uint CountMask = 0x0FFFFFFF;
    private const uint HasOffset = 0x80000000;

    // The server refuses deeper documents by its stack limit long before.
    private const int DeepestDocument = 400;

    /// <summary>Whether the bytes behind the varlena header are a document; <paramref name="at"/> is where not.</summary>
    public static bool IsPossible(ReadOnlySpan<byte> data, out int at) => IsPossible(data, isUtf8: false, out at);

    /// <inheritdoc cref="IsPossible(ReadOnlySpan{byte}, out int)"/>
    /// <param name="isUtf8">Keys and strings are UTF-8, as in a database of that encoding.</param>
    public static bool IsPossible(ReadOnlySpan<byte> data, bool isUtf8, out int at) => Container(data, 0, 0, isUtf8, out at);

    // Start is the container's place in the document: numbers and containers are aligned to four bytes of it.
    private static bool Container(ReadOnlySpan<byte> data, int start, int depth, bool isUtf8, out int at)
    {
        at = start;
        if (data.Length < 4) return false;
        if (depth > DeepestDocument) return true;
        var header = LittleEndian.U32(data, 0);
        var isObject = (header & 0x20000000) != 0;
        var isArray = (header & 0x40000000) != 0;
        var count = header & CountMask;
        if (isObject == isArray || (header & 0x80000000) != 0 || (header & 0x10000000) != 0 && (isObject || count != 1))
            return false;
        var entries = isObject ? 2L * count : count;
        if (4 + 4 * entries > data.Length) return false;
        var values = data[(4 + 4 * (int)entries)..];
        var from = 0;
        ReadOnlySpan<byte> key = default;
        for (var index = 0; index < entries; index++)
        {
            var entry = LittleEndian.U32(data, 4 + 4 * index);
            at = start + 4 + 4 * index;
            var length = entry & CountMask;
            var end = (entry & HasOffset) != 0 ? length : from + length;
            if (end < from || end > values.Length) return false;
            var value = values[from..(int)end];
            var isKey = isObject && index < count;
            if (isKey && ((entry & 0x70000000) != 0 || index > 0 && !Follows(key, value))) return false;
            if (isKey) key = value;
            var place = start + 4 + 4 * (int)entries + from;
            if (!Value(entry >> 28 & 7, value, place, depth, isUtf8, ref at)) return false;
            from = (int)end;
        }
        at = start;
        return from == values.Length;
    }

    private static bool Value(uint type, ReadOnlySpan<byte> value, int place, int depth, bool isUtf8, ref int at)
    {
        var padding = Math.Min(-place & 3, value.Length);
        switch (type)
        {
            case 0: return !isUtf8 || Utf8.IsValid(value);
            case 1: return Number(value[padding..]);
            case 2 or 3 or 4: return value.IsEmpty;
            case 5:
                var sound = Container(value[padding..], place + padding, depth + 1, isUtf8, out var inner);
                if (!sound) at = inner;
                return sound;
            default: return false;
        }
    }

    private static bool Number(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return false;
        if ((value[0] & 1) != 0) return value[0] >> 1 == value.Length;
        return value.Length >= 6 && (value[0] & 3) == 0 && LittleEndian.U32(value, 0) >> 2 == value.Length;
    }

    // Keys are unique and stand in the order of their length, then of their bytes.
    private static bool Follows(ReadOnlySpan<byte> before, ReadOnlySpan<byte> key) =>
        before.Length != key.Length ? before.Length < key.Length : before.SequenceCompareTo(key) < 0;
}
