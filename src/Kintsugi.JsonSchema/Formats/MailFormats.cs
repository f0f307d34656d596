namespace Kintsugi.JsonSchema;

/// <summary>Mailboxes of RFC 5321 4.1.2, and with non-ASCII letters those of RFC 6531.</summary>
internal static class MailFormats
{
    private const int MaxLocal = 64;

    public static bool Mail(ReadOnlySpan<char> text, bool international)
    {
        var at = text.LastIndexOf('@');
        if (at < 1 || at == text.Length - 1 || at > MaxLocal)
            return false;
        var domain = text[(at + 1)..];
        return Local(text[..at], international) && Domain(domain, international);
    }

    private static bool Domain(ReadOnlySpan<char> domain, bool international)
    {
        if (domain[0] != '[')
            return international ? HostFormats.InternationalHost(domain) : HostFormats.Host(domain);
        if (domain[^1] != ']')
            return false;
        var literal = domain[1..^1];
        return literal.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase)
            ? AddressFormats.V6(literal[5..])
            : AddressFormats.V4(literal);
    }

    private static bool Local(ReadOnlySpan<char> local, bool international)
    {
        if (local[0] == '"')
            return local.Length > 1 && local[^1] == '"' && Quoted(local[1..^1], international);
        if (local[0] == '.' || local[^1] == '.' || local.Contains("..", StringComparison.Ordinal))
            return false;
        foreach (var c in local)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-/=?^_`{|}~.".Contains(c, StringComparison.Ordinal)
                && !(international && c > 0x7F))
                return false;
        }

        return true;
    }

    private static bool Quoted(ReadOnlySpan<char> text, bool international)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"' || (text[i] == '\\' && ++i == text.Length))
                return false;
            if (text[i] < 0x20 || text[i] == 0x7F || (text[i] > 0x7F && !international))
                return false;
        }

        return true;
    }
}
