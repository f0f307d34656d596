using System.Globalization;
using System.Text;

namespace Kintsugi.JsonSchema;

/// <summary>Host names: RFC 1123 2.1, and international ones by the rules of RFC 5892 that need no tables.</summary>
internal static class HostFormats
{
    private const int MaxName = 253;
    private const int MaxLabel = 63;

    public static bool Host(ReadOnlySpan<char> text) => Labels(text, ['.'], international: false);

    public static bool InternationalHost(ReadOnlySpan<char> text) => Labels(text, ".\u3002\uFF0E\uFF61", international: true);

    private static bool Labels(ReadOnlySpan<char> text, ReadOnlySpan<char> dots, bool international)
    {
        if (text.Length is 0 or > MaxName)
            return false;
        foreach (var range in text.SplitAny(dots))
        {
            var label = text[range];
            if (label.Length is 0 or > MaxLabel || label[0] == '-' || label[^1] == '-')
                return false;
            if (label.StartsWith("xn--", StringComparison.OrdinalIgnoreCase))
            {
                if (!Ascii(label) || Punycode.Decode(label[4..]) is not { } decoded || !IsULabel(decoded))
                    return false;
            }
            else if (Ascii(label) ? label.Length > 3 && label[2] == '-' && label[3] == '-' : !international)
            {
                return false;
            }
            else if (!Ascii(label) && (!IsULabel(label.ToString()) || Punycode.EncodedLength(label.ToString()) > MaxLabel - 4))
            {
                return false;
            }
        }

        return true;

        static bool Ascii(ReadOnlySpan<char> label)
        {
            foreach (var c in label)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                    return false;
            }

            return true;
        }
    }

    /// <summary>A label in Unicode: RFC 5891 4.2.3 and the contextual rules of RFC 5892 appendix A.</summary>
    private static bool IsULabel(string label)
    {
        var runes = label.EnumerateRunes().Select(rune => rune.Value).ToArray();
        if (runes.Length == 0 || runes.All(c => c < 0x80) || runes[0] == '-' || runes[^1] == '-'
            || (runes.Length > 3 && runes[2] == '-' && runes[3] == '-') || IsMark(runes[0]))
            return false;
        for (var i = 0; i < runes.Length; i++)
        {
            if (!Allowed(runes[i]) || !InContext(runes, i))
                return false;
        }

        return true;
    }

    private static bool IsMark(int c) => CharUnicodeInfo.GetUnicodeCategory(c)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    /// <summary>Letters, digits and marks, and what appendix A lets in by context (RFC 5892 2.1, 2.6).</summary>
    private static bool Allowed(int c)
    {
        if (c is 0x302E or 0x302F or 0x0640 or 0x07FA or (>= 0x3031 and <= 0x3035) or 0x303B)
            return false;
        if (c is '-' or 0xB7 or 0x375 or 0x5F3 or 0x5F4 or 0x30FB or 0x200C or 0x200D or 0x6FD or 0x6FE or 0xF0B or 0x3007)
            return true;
        return CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.LowercaseLetter or UnicodeCategory.OtherLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.NonSpacingMark
            or UnicodeCategory.SpacingCombiningMark || (c < 0x80 && char.IsAsciiLetterUpper((char)c));
    }

    private static bool InContext(int[] runes, int at)
    {
        var before = at > 0 ? runes[at - 1] : 0;
        var after = at + 1 < runes.Length ? runes[at + 1] : 0;
        return runes[at] switch
        {
            0xB7 => before == 'l' && after == 'l',
            0x375 => after is (>= 0x370 and <= 0x3FF) or (>= 0x1F00 and <= 0x1FFF),
            0x5F3 or 0x5F4 => before is >= 0x590 and <= 0x5FF,
            0x30FB => runes.Any(c => c is (>= 0x3041 and <= 0x309F) or (>= 0x30A1 and <= 0x30FA) or (>= 0x30FC and <= 0x30FF)
                or (>= 0x3400 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF)),
            0x200C or 0x200D => Virama(before),
            >= 0x660 and <= 0x669 => !runes.Any(c => c is >= 0x6F0 and <= 0x6F9),
            >= 0x6F0 and <= 0x6F9 => !runes.Any(c => c is >= 0x660 and <= 0x669),
            _ => true,
        };
    }

    /// <summary>The viramas of the scripts that use joiners (UnicodeData, combining class 9).</summary>
    private static bool Virama(int c) => c is 0x94D or 0x9CD or 0xA4D or 0xACD or 0xB4D or 0xBCD or 0xC4D or 0xCCD or 0xD4D
        or 0xDCA or 0xE3A or 0xF84 or 0x1039 or 0x17D2 or 0x1B44 or 0xA806 or 0xA8C4 or 0xA953;
}
