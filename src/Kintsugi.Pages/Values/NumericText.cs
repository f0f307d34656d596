using System.Globalization;
using System.Text;

namespace Kintsugi.Pages.Values;

/// <summary>numeric as it is stored: a sign, a scale, and digits to the base of 10,000 (numeric.c).</summary>
internal static class NumericText
{
    public static string? Of(ReadOnlySpan<byte> data)
    {
        var header = LittleEndian.U16(data, 0);
        if ((header & 0xC000) == 0xC000)
            return header switch { 0xC000 => "NaN", 0xD000 => "Infinity", 0xF000 => "-Infinity", _ => null };
        var isShort = (header & 0x8000) != 0;
        var scale = isShort ? (header & 0x1F80) >> 7 : header & 0x3FFF;
        var weight = !isShort ? (short)LittleEndian.U16(data, 2) : (header & 0x40) != 0 ? (header & 0x3F) | ~0x3F : header & 0x3F;
        var text = new StringBuilder((header & (isShort ? 0x2000 : 0x4000)) != 0 ? "-" : "");
        var digits = data[(isShort ? 2 : 4)..];
        for (var i = 0; i <= weight; i++)
            text.Append(Digit(digits, i).ToString(i == 0 ? "0" : "0000", CultureInfo.InvariantCulture));
        if (weight < 0)
            text.Append('0');
        if (scale == 0)
            return text.ToString();
        var fraction = new StringBuilder();
        for (var i = weight + 1; fraction.Length < scale; i++)
            fraction.Append(Digit(digits, i).ToString("0000", CultureInfo.InvariantCulture));
        return text.Append('.').Append(fraction.ToString(0, scale)).ToString();
    }

    // Zeros at either end are not stored.
    private static int Digit(ReadOnlySpan<byte> digits, int at) => at < 0 || 2 * at + 2 > digits.Length ? 0 : LittleEndian.U16(digits, 2 * at);
}
