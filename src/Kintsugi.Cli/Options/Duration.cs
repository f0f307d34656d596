using System.Globalization;
using System.Text.RegularExpressions;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Options;

/// <summary>Durations as the configuration writes them: 30s, 10m, 1h30m, 1d, 2w.</summary>
internal static partial class Duration
{
    private const double Longest = 10 * 365 * 86400.0;

    public static TimeSpan Parse(string text, string option)
    {
        if (!Whole().IsMatch(text))
            throw new UsageException($"{option} takes a duration such as 30s, 10m, 1h30m or 2d, not \"{text}\"");
        var total = 0.0;
        foreach (Match part in Part().Matches(text))
        {
            var number = double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture);
            total += part.Groups[2].Value switch
            {
                "ms" => number * 0.001,
                "s" => number,
                "m" => number * 60,
                "h" => number * 3600,
                "d" => number * 86400,
                _ => number * 604800,
            };
        }
        return total switch
        {
            <= 0 => throw new UsageException($"{option} takes a duration longer than nothing"),
            > Longest => throw new UsageException($"{option} takes at most ten years; leave it out for no limit"),
            _ => TimeSpan.FromSeconds(total),
        };
    }

    [GeneratedRegex(@"^(\d{1,6}(ms|s|m|h|d|w))+$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"(\d+)(ms|s|m|h|d|w)")]
    private static partial Regex Part();
}
