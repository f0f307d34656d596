namespace Kintsugi.JsonSchema;

/// <summary>URIs by the grammar of RFC 3986 (appendix A), IRIs by that of RFC 3987 (2.2).</summary>
internal static class UriFormats
{
    private const string Unreserved = "-._~";
    private const string SubDelims = "!$&'()*+,;=";

    public static bool Uri(ReadOnlySpan<char> text, bool relative, bool international)
    {
        var colon = text.IndexOf(':');
        var firstOther = text.IndexOfAny("/?#");
        var hasScheme = colon > 0 && (firstOther < 0 || colon < firstOther);
        if (hasScheme && !Scheme(text[..colon]))
            return false;
        if (!hasScheme && (!relative || (colon == 0)))
            return false;
        var rest = hasScheme ? text[(colon + 1)..] : text;
        var hash = rest.IndexOf('#');
        if (hash >= 0)
        {
            if (!Characters(rest[(hash + 1)..], ":@/?", international))
                return false;
            rest = rest[..hash];
        }

        var question = rest.IndexOf('?');
        if (question >= 0)
        {
            if (!Characters(rest[(question + 1)..], ":@/?", international, isQuery: true))
                return false;
            rest = rest[..question];
        }

        if (!rest.StartsWith("//", StringComparison.Ordinal))
            return Characters(rest, ":@/", international);
        var slash = rest[2..].IndexOf('/');
        var authority = slash < 0 ? rest[2..] : rest[2..(slash + 2)];
        return Authority(authority, international) && (slash < 0 || Characters(rest[(slash + 2)..], ":@/", international));
    }

    private static bool Authority(ReadOnlySpan<char> text, bool international)
    {
        var at = text.LastIndexOf('@');
        if (at >= 0 && !Characters(text[..at], ":", international))
            return false;
        var host = text[(at + 1)..];
        if (host.StartsWith('['))
        {
            var end = host.IndexOf(']');
            return end > 0 && Literal(host[1..end]) && Port(host[(end + 1)..]);
        }

        var colon = host.IndexOf(':');
        return Characters(colon < 0 ? host : host[..colon], "", international) && (colon < 0 || Port(host[colon..]));
    }

    private static bool Literal(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text[0] is not ('v' or 'V'))
            return AddressFormats.V6(text);
        var dot = text.IndexOf('.');
        return dot > 1 && dot < text.Length - 1 && AddressFormats.IsHex(text[1..dot])
            && !text[dot..].Contains('%') && Characters(text[(dot + 1)..], ":", international: false);
    }

    private static bool Port(ReadOnlySpan<char> text) =>
        text.IsEmpty || (text[0] == ':' && !text[1..].ContainsAnyExceptInRange('0', '9'));

    private static bool Scheme(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.'))
                return false;
        }

        return char.IsAsciiLetter(text[0]);
    }

    private static bool Characters(ReadOnlySpan<char> text, string more, bool international, bool isQuery = false)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '%')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                    return false;
                i += 2;
            }
            else if (c > 0x7F ? !(international && Foreign(c, isQuery)) : !char.IsAsciiLetterOrDigit(c)
                && !Unreserved.Contains(c, StringComparison.Ordinal) && !SubDelims.Contains(c, StringComparison.Ordinal)
                && !more.Contains(c, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>ucschar, and iprivate in queries only. Planes above the first come as pairs, of which all are taken.</summary>
    private static bool Foreign(char c, bool isQuery) =>
        c is (>= '\u00A0' and <= '\uDFFF') or (>= '\uF900' and <= '\uFDCF') or (>= '\uFDF0' and <= '\uFFEF')
        || (isQuery && c is >= '\uE000' and <= '\uF8FF');
}
