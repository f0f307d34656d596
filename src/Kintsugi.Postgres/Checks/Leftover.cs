using System.Text.RegularExpressions;

namespace Kintsugi.Postgres.Checks;

/// <summary>Names that REINDEX CONCURRENTLY gives to the index it builds and to the one it has replaced (src/backend/commands/indexcmds.c).</summary>
internal static partial class Leftover
{
    /// <summary>What left an index of that name behind, or null when the name says nothing.</summary>
    public static string? Of(string name) => Pattern().Match(name) switch
    {
        { Success: false } => null,
        { } match when match.Groups[1].Value == "new" => "REINDEX CONCURRENTLY that failed before the exchange",
        _ => "REINDEX CONCURRENTLY that failed after the exchange",
    };

    [GeneratedRegex(@"_cc(new|old)\d*$")]
    private static partial Regex Pattern();
}
