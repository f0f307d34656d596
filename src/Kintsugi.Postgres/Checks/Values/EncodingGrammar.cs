namespace Kintsugi.Postgres.Checks.Values;

/// <summary>
/// What bytes each server encoding takes for text, as the server's own verifiers do (src/common/wchar.c): one character, as a regular expression over
/// pairs of hexadecimal digits. Single-byte encodings take every byte but zero; SQL_ASCII asks nothing, MULE_INTERNAL lets in no client of
/// UTF-8 such as this one, and the other encodings are for clients only.
/// </summary>
internal static class EncodingGrammar
{
    private const string Ascii = "0[1-9a-f]|[1-7].";

    /// <summary>0xa1 to 0xfe.</summary>
    private const string Euc = "(?:a[1-9a-f]|[b-e].|f[0-9a-e])";
    private const string High = "[89a-f].";

    /// <summary>
    /// RFC 3629, 4, without U+0000: no overlong forms, no surrogates, nothing beyond U+10FFFF.
    /// </summary>
    public const string Utf8Character =
        "(?:0[1-9a-f]|[1-7].|(?:c[2-9a-f]|d.)[89ab].|e0[ab].[89ab].|e(?:[1-9a-c]|e|f)[89ab].[89ab].|ed[89].[89ab].|"
        + "f0[9ab].[89ab].[89ab].|f[1-3][89ab].[89ab].[89ab].|f48.[89ab].[89ab].)";

    /// <returns>Of a whole text.</returns>
    public static string Text(string encoding) => $"^{Character(encoding)}*$";

    private static string Character(string encoding) => encoding switch
    {
        "UTF8" => Utf8Character,
        "EUC_JP" or "EUC_JIS_2004" => $"(?:{Ascii}|8e(?:a[1-9a-f]|[bc].|d.)|8f{Euc}{Euc}|{Euc}{Euc})",
        "EUC_KR" or "EUC_CN" => $"(?:{Ascii}|{Euc}{Euc})",
        // The first byte of two is not looked at, but for the two that begin others.
        "EUC_TW" => $"(?:{Ascii}|8ea[1-7]{Euc}{Euc}|(?:8[0-9a-d]|[9a-f].){Euc})",
        _ => $"(?:{Ascii}|{High})",
    };
}
