using System.Globalization;

namespace Kintsugi.JsonSchema;

/// <summary>Addresses: dotted quads (RFC 2673 3.2) and IPv6 (RFC 4291 2.2).</summary>
internal static class AddressFormats
{
    public static bool V4(ReadOnlySpan<char> text)
    {
        var parts = 0;
        foreach (var range in text.Split('.'))
        {
            var part = text[range];
            if (part.Length is 0 or > 3 || part.ContainsAnyExceptInRange('0', '9') || (part.Length > 1 && part[0] == '0')
                || int.Parse(part, NumberStyles.None, CultureInfo.InvariantCulture) > 255)
                return false;
            parts++;
        }

        return parts == 4;
    }

    public static bool V6(ReadOnlySpan<char> text)
    {
        var gap = text.IndexOf("::", StringComparison.Ordinal);
        if (gap < 0)
            return Groups(text, out var all, last: true) && all == 8;
        return Groups(text[..gap], out var before, last: false) && Groups(text[(gap + 2)..], out var after, last: true)
            && before + after <= 7;
    }

    public static bool IsHex(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigit(c))
                return false;
        }

        return true;
    }

    private static bool Groups(ReadOnlySpan<char> text, out int count, bool last)
    {
        count = 0;
        if (text.IsEmpty)
            return true;
        var dotted = last ? text.LastIndexOf(':') + 1 : 0;
        if (last && text.Contains('.'))
        {
            if (!V4(text[dotted..]))
                return false;
            count = 2;
            if (dotted == 0)
                return true;
            text = text[..(dotted - 1)];
        }

        foreach (var range in text.Split(':'))
        {
            var part = text[range];
            if (part.Length is 0 or > 4 || !IsHex(part))
                return false;
            count++;
        }

        return true;
    }
}
