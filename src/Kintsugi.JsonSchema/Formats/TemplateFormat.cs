namespace Kintsugi.JsonSchema;

/// <summary>URI templates of RFC 6570 (2).</summary>
internal static class TemplateFormat
{
    private const int MaxPrefix = 4;

    public static bool Template(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            var open = text.IndexOf('{');
            var literal = open < 0 ? text : text[..open];
            if (!Literal(literal))
                return false;
            if (open < 0)
                return true;
            var close = text.IndexOf('}');
            if (close < open || !Expression(text[(open + 1)..close]))
                return false;
            text = text[(close + 1)..];
        }

        return true;
    }

    private static bool Literal(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c <= ' ' || c == 0x7F || "\"<>\\^`{|}".Contains(c, StringComparison.Ordinal))
                return false;
            if (c == '%' && (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2])))
                return false;
        }

        return true;
    }

    private static bool Expression(ReadOnlySpan<char> text)
    {
        if (!text.IsEmpty && "+#./;?&=,!@|".Contains(text[0], StringComparison.Ordinal))
            text = text[1..];
        foreach (var range in text.Split(','))
        {
            if (!Variable(text[range]))
                return false;
        }

        return true;
    }

    private static bool Variable(ReadOnlySpan<char> text)
    {
        if (text.EndsWith('*'))
            text = text[..^1];
        var colon = text.IndexOf(':');
        if (colon >= 0)
        {
            var prefix = text[(colon + 1)..];
            if (prefix.Length is 0 or > MaxPrefix || prefix[0] == '0' || prefix.ContainsAnyExceptInRange('0', '9'))
                return false;
            text = text[..colon];
        }

        if (text.IsEmpty || text[0] == '.' || text[^1] == '.' || text.Contains("..", StringComparison.Ordinal))
            return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
                i += 2;
            else if (!char.IsAsciiLetterOrDigit(text[i]) && text[i] is not ('_' or '.'))
                return false;
        }

        return true;
    }
}
