namespace Kintsugi.JsonSchema;

/// <summary>JSON pointers (RFC 6901, and the draft of relative ones), UUIDs (RFC 4122 3) and regular expressions.</summary>
internal static class PointerFormats
{
    public static bool Pointer(ReadOnlySpan<char> text)
    {
        if (!text.IsEmpty && text[0] != '/')
            return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '~' && (i + 1 == text.Length || text[i + 1] is not ('0' or '1')))
                return false;
        }

        return true;
    }

    public static bool RelativePointer(ReadOnlySpan<char> text)
    {
        var digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits]))
            digits++;
        if (digits == 0 || (digits > 1 && text[0] == '0'))
            return false;
        return text[digits..] is "#" || Pointer(text[digits..]);
    }

    public static bool Uuid(ReadOnlySpan<char> text)
    {
        if (text.Length != 36)
            return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (i is 8 or 13 or 18 or 23 ? text[i] != '-' : !char.IsAsciiHexDigit(text[i]))
                return false;
        }

        return true;
    }

    public static bool Regex(string text) => Pattern.TryCompile(text, TimeSpan.FromSeconds(1), out _, out _);
}
