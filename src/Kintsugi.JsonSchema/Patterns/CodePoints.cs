using System.Globalization;
using System.Text;

namespace Kintsugi.JsonSchema;

/// <summary>A set of Unicode code points, written out for .NET (which thinks in UTF-16 units) or for PostgreSQL.</summary>
internal sealed class CodePoints
{
    private const int Last = 0x10FFFF;

    /// <summary>PostgreSQL's engine takes seconds over classes of many hundred ranges.</summary>
    private const int PostgresRanges = 64;

    private readonly List<(int From, int To)> _ranges = [];

    public static CodePoints Digits { get; } = Of(('0', '9'));

    public static CodePoints WordCharacters { get; } = Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));

    /// <summary>WhiteSpace and LineTerminator of ECMA-262.</summary>
    public static CodePoints Spaces { get; } = Of(('\t', '\r'), (' ', ' '), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
        (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF));

    /// <summary>What <c>.</c> matches.</summary>
    public static CodePoints AnyButLineEnds { get; } = Of(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)).Complement();

    public static CodePoints Of(params ReadOnlySpan<(int From, int To)> ranges)
    {
        var set = new CodePoints();
        foreach (var (from, to) in ranges)
            set.Add(from, to);
        return set;
    }

    public static CodePoints Where(Func<UnicodeCategory, bool> wanted)
    {
        var set = new CodePoints();
        var start = -1;
        for (var point = 0; point <= Last + 1; point++)
        {
            var inside = point <= Last && wanted(CharUnicodeInfo.GetUnicodeCategory(point));
            if (inside && start < 0)
                start = point;
            if (inside || start < 0)
                continue;
            set._ranges.Add((start, point - 1));
            start = -1;
        }

        return set;
    }

    public void Add(int from, int to) => _ranges.Add((from, to));

    public void Add(CodePoints other) => _ranges.AddRange(other._ranges);

    public CodePoints Complement()
    {
        var set = new CodePoints();
        var next = 0;
        foreach (var (from, to) in Merged())
        {
            if (from > next)
                set.Add(next, from - 1);
            next = to + 1;
        }

        if (next <= Last)
            set.Add(next, Last);
        return set;
    }

    /// <summary>For .NET: one atom; code points above U+FFFF become pairs of units.</summary>
    public string ForDotNet()
    {
        var low = new StringBuilder();
        var pairs = new List<string>();
        foreach (var (from, to) in Merged())
        {
            // Halves of pairs are no characters of JSON; matching them would split a character.
            Units(low, from, Math.Min(to, 0xD7FF));
            Units(low, Math.Max(from, 0xE000), Math.Min(to, 0xFFFF));
            if (to > 0xFFFF)
                Pairs(pairs, Math.Max(from, 0x10000), to);
        }

        if (low.Length > 0)
            pairs.Insert(0, $"[{low}]");
        return pairs.Count switch
        {
            0 => "(?!)",
            1 => pairs[0].StartsWith('[') && low.Length > 0 ? pairs[0] : $"(?:{pairs[0]})",
            _ => $"(?:{string.Join('|', pairs)})",
        };
    }

    /// <summary>For PostgreSQL's advanced regular expressions (manual 9.7.3.2), or null for no or too many ranges.</summary>
    public string? ForPostgres()
    {
        var text = new StringBuilder();
        var ranges = Merged();
        foreach (var (from, to) in ranges.Count <= PostgresRanges ? ranges : [])
        {
            if (to > 0)
                text.Append(Escape(Math.Max(from, 1))).Append('-').Append(Escape(to));
        }

        return text.Length == 0 ? null : $"[{text}]";

        static string Escape(int point) => point < 0x80 && char.IsAsciiLetterOrDigit((char)point)
            ? ((char)point).ToString()
            : $"\\U{point:X8}";
    }

    private static void Units(StringBuilder text, int from, int to)
    {
        if (from <= to)
            text.Append($"\\u{from:X4}-\\u{to:X4}");
    }

    private static void Pairs(List<string> pairs, int from, int to)
    {
        while (from <= to)
        {
            var (high, low) = Split(from);
            var (lastHigh, lastLow) = Split(to);
            if (low == 0xDC00 && (lastHigh > high || lastLow == 0xDFFF))
            {
                var until = lastLow == 0xDFFF ? lastHigh : lastHigh - 1;
                pairs.Add($"[\\u{high:X4}-\\u{until:X4}][\\uDC00-\\uDFFF]");
                from = 0x10000 + ((until - 0xD800 + 1) << 10);
                continue;
            }

            var end = lastHigh == high ? lastLow : 0xDFFF;
            pairs.Add($"\\u{high:X4}[\\u{low:X4}-\\u{end:X4}]");
            from += end - low + 1;
        }
    }

    private static (int High, int Low) Split(int point) =>
        (0xD800 + ((point - 0x10000) >> 10), 0xDC00 + ((point - 0x10000) & 0x3FF));

    private List<(int From, int To)> Merged()
    {
        var merged = new List<(int From, int To)>();
        foreach (var (from, to) in _ranges.OrderBy(range => range.From))
        {
            if (merged.Count > 0 && from <= merged[^1].To + 1)
                merged[^1] = (merged[^1].From, Math.Max(merged[^1].To, to));
            else
                merged.Add((from, to));
        }

        return merged;
    }
}
