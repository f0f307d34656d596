namespace Kintsugi.Pages.Crossing;

/// <summary>Order of numeric values as they are stored: sign, weight, digits to the base of 10,000 (cmp_numerics in numeric.c).</summary>
internal static class NumericOrder
{
    private const int Special = 0xC000, NaN = 0xC000, Infinity = 0xD000, MinusInfinity = 0xF000, Short = 0x8000;

    public static int? Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (Rank(left) is not { } one || Rank(right) is not { } other) return null;
        if (one != other) return one.CompareTo(other);
        return one switch
        {
            1 => Magnitude(left, right),
            -1 => -Magnitude(left, right),
            _ => 0,
        };
    }

    /// <summary>-2 minus infinity, -1 negative, 0 zero, 1 positive, 2 infinity, 3 NaN; null for what is no numeric.</summary>
    private static int? Rank(ReadOnlySpan<byte> value)
    {
        if (value.Length < 2) return null;
        var header = LittleEndian.U16(value, 0);
        if ((header & Special) == Special)
            return header switch { NaN => 3, Infinity => 2, MinusInfinity => -2, _ => null };
        if (value.Length < DigitsAt(header) || (value.Length - DigitsAt(header)) % 2 != 0) return null;
        if (value.Length == DigitsAt(header)) return 0;
        return (header & ((header & Short) != 0 ? 0x2000 : 0x4000)) != 0 ? -1 : 1;
    }

    private static int Magnitude(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var one = LittleEndian.U16(left, 0);
        var other = LittleEndian.U16(right, 0);
        if (Weight(left, one) != Weight(right, other)) return Weight(left, one).CompareTo(Weight(right, other));
        var leftDigits = left[DigitsAt(one)..];
        var rightDigits = right[DigitsAt(other)..];
        for (var at = 0; at < Math.Max(leftDigits.Length, rightDigits.Length); at += 2)
        {
            var order = Digit(leftDigits, at).CompareTo(Digit(rightDigits, at));
            if (order != 0) return order;
        }
        return 0;
    }

    private static int DigitsAt(ushort header) => (header & Short) != 0 ? 2 : 4;

    private static int Weight(ReadOnlySpan<byte> value, ushort header) =>
        (header & Short) == 0 ? (short)LittleEndian.U16(value, 2) : (header & 0x40) != 0 ? (header & 0x3F) | ~0x3F : header & 0x3F;

    private static int Digit(ReadOnlySpan<byte> digits, int at) => at + 2 > digits.Length ? 0 : LittleEndian.U16(digits, at);
}
