using System.Text.RegularExpressions;

namespace Kintsugi.Postgres.Forensics;

/// <summary>Takes secrets out of what is handed to others: passwords in connection strings, in statements and in settings.</summary>
public static partial class Redaction
{
    private const string Hidden = "(redacted)";

    /// <summary>Settings whose whole value is nobody's business: commands and connection strings may hold anything.</summary>
    private static readonly string[] Words = ["conninfo", "passphrase", "password_file", "secret", "archive_command", "restore_command", "ssl_key_file", "token"];

    public static string Setting(string name, string value) =>
        value.Length > 0 && Array.Exists(Words, word => name.Contains(word, StringComparison.OrdinalIgnoreCase)) ? Hidden : Text(value);

    public static string Text(string text) => InUri().Replace(Spoken().Replace(Named().Replace(text, $"$1{Hidden}"), $"$1{Hidden}"), $"$1{Hidden}@");

    /// <summary>password=x, pwd: "x" and the like.</summary>
    [GeneratedRegex("""(\b(?:pass(?:word|wd|phrase|file)?|pwd|secret|api_?key|token)\b["']?\s*[=:]\s*)('(?:[^']|'')*'|"[^"]*"|[^\s,;'"]+)""",
        RegexOptions.IgnoreCase)]
    private static partial Regex Named();

    /// <summary>ALTER ROLE … PASSWORD 'x'.</summary>
    [GeneratedRegex("""(\bpassword\s+)'(?:[^']|'')*'""", RegexOptions.IgnoreCase)]
    private static partial Regex Spoken();

    [GeneratedRegex("""(://[^\s/:@]*:)[^\s@]*@""")]
    private static partial Regex InUri();
}
