using System.Text.RegularExpressions;

namespace Kintsugi.Postgres.Checks.Keys;

/// <summary>How the values of one BRIN operator class are told to lie inside a summary, from what pageinspect prints of it.</summary>
/// <param name="CanRead">Whether the text of this summary names bounds.</param>
/// <param name="Pieces">The parts of a summary: a value has to lie in one of them.</param>
/// <param name="Inside">SQL: a value lies between low and high.</param>
internal sealed partial record BrinMethod(
    Func<BrinSummary, bool> CanRead, Func<string, IEnumerable<(string Low, string High)>> Pieces, Func<string, string, string, string> Inside)
{
    /// <summary>A summary without bounds shuts nothing out (values that have no union); otherwise its text was not understood.</summary>
    public bool WithoutBoundsIsSound { get; private init; }

    private const int Less = 1;
    private const int Greater = 5;
    private const int ContainedBy = 8;
    private const string Between = " .. ";

    /// <returns>Null where summaries of the operator class hold no values: bloom.</returns>
    public static BrinMethod? Of(KeyColumn column)
    {
        var support = column.Support?[(column.Support.LastIndexOf('.') + 1)..];
        return support switch
        {
            "brin_minmax_opcinfo" when Order(column) is { } inside => new(IsPair, OnePair, inside),
            "brin_minmax_multi_opcinfo" when Order(column) is { } inside => new(_ => true, ManyPairs, inside),
            // Union of all values; whether there were some that have none; whether empty ones were among them (brin_inclusion.c).
            "brin_inclusion_opcinfo" when column.Operator(ContainedBy) is { } contained => new(
                it => it.Value is null || it.Value.EndsWith(" .. f .. f}", StringComparison.Ordinal) || it.Value.EndsWith(" .. f .. t}", StringComparison.Ordinal),
                text => [(text[1..^" .. f .. f}".Length], "")],
                (value, low, _) => $"{value} {contained} {low}::{column.Type}") { WithoutBoundsIsSound = true },
            _ => null,
        };
    }

    private static Func<string, string, string, string>? Order(KeyColumn column) =>
        column.Operator(Less) is { } less && column.Operator(Greater) is { } greater
            ? (value, low, high) => $"NOT {value} {less} {low}::{column.Type} AND NOT {value} {greater} {high}::{column.Type}"
            : null;

    /// <summary>Text may hold the divider itself: such a summary is left alone.</summary>
    private static bool IsPair(BrinSummary summary) =>
        summary.Value is not { } text || text.IndexOf(Between, StringComparison.Ordinal) == text.LastIndexOf(Between, StringComparison.Ordinal);

    private static IEnumerable<(string, string)> OnePair(string text)
    {
        var at = text.IndexOf(Between, StringComparison.Ordinal);
        return at < 0 ? [] : [(text[1..at], text[(at + Between.Length)..^1])];
    }

    /// <summary>"nranges: 1  nvalues: 2  maxvalues: 32 ranges: {"1 ... 5"} values: {7,9}" (brin_minmax_multi_summary_out).</summary>
    private static IEnumerable<(string, string)> ManyPairs(string text)
    {
        if (Multi().Match(text) is not { Success: true } match)
            yield break;
        foreach (var range in Elements(match.Groups["ranges"].Value))
            if (range.Split(" ... ", 2) is [var low, var high])
                yield return (low, high);
        foreach (var value in Elements(match.Groups["values"].Value))
            yield return (value, value);
    }

    /// <summary>The elements of an array as the server writes it: in quotes where they hold more than letters and digits.</summary>
    private static IEnumerable<string> Elements(string array) =>
        Element().Matches(array).Select(match => match.Groups[1].Success ? match.Groups[1].Value.Replace("\\", "", StringComparison.Ordinal) : match.Value);

    [GeneratedRegex(@"nranges: \d+  nvalues: \d+  maxvalues: \d+(?: ranges: \{(?<ranges>[^{}]*)\})?(?: values: \{(?<values>[^{}]*)\})?")]
    private static partial Regex Multi();

    [GeneratedRegex(@"""((?:[^""\\]|\\.)*)""|[^,]+")]
    private static partial Regex Element();
}
