using System.Security.Cryptography;
using System.Text;

namespace Kintsugi.Postgres.Checks.Collations;

/// <summary>
/// How a collation orders strings on which libraries have been known to disagree, as a hash: an unchanged version does not prove
/// an unchanged
/// order (a backport, another C library, a version that is not recorded). Compare it with the one that was kept.
/// </summary>
public static class CollationFingerprint
{
    private static readonly string[] Plain =
    [
        "", " ", "  a", "a", "A", "aa", "a a", "a-a", "a_a", "a.a", "a'a", "ab", "aB", "Ab", "AB", "a1", "a10", "a2", "1", "1-1",
            "11", "1 1", "1.1", "$1",
        "co-op", "coop", "CO-OP", "co op", "z", "Z", "za", "-", "--", "_", "~", "!", "\"a\"", "(a)", "0", "00", "b", "B",
            "resume", "Resume",
    ];

    private static readonly string[] Unicode =
    [
        "ä", "a\u0308", "Ä", "ae", "æ", "å", "aa\u030a", "ö", "oe", "ø", "ß", "ss", "ẞ", "é", "e\u0301", "è", "ê", "résumé",
            "resumé", "ñ", "n\u0303", "ch", "cz", "č",
        "ij", "ĳ", "ı", "i", "İ", "I", "ş", "ll", "lj", "ǉ", "ё", "е", "й", "и", "я", "ς", "σ", "ω", "ا", "أ", "ة", "क", "ก",
            "あ", "ア", "ｱ", "一", "丁", "가", "힣",
        "①", "½", "²", "🍿", "🎬", "\u200d", "\u00ad", "a\u00adb", "“a”", "–", "—", "…", "€", "№", "ﬁ", "fi", "Ⅳ", "ⅳ", "𝒜",
            "\ufffd",
    ];

    /// <param name="collation">The quoted name, schema first, or null for the database's own.</param>
    /// <returns>64 hexadecimal digits.</returns>
    public static async ValueTask<string> Compute(
        IReadSession session, string? collation, string encoding, CancellationToken cancellationToken)
    {
        // Ties of a collation that is not deterministic are broken by bytes, or the order would be chance.
        var sql = $"SELECT s FROM pg_catalog.unnest($1) s ORDER BY s COLLATE {collation ?? "pg_catalog.\"default\""}, s "
            + $"COLLATE pg_catalog.\"C\"";
        string[] probes = encoding == "UTF8" ? [.. Plain, .. Unicode] : Plain;
        var sorted = await session.Rows(sql, row => row.GetString(0), cancellationToken, (object)probes);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', sorted))));
    }
}
