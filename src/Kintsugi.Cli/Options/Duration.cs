using System.Globalization;
using System.Text.RegularExpressions;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Options;

/// <summary>Durations as the configuration writes them: 30s, 10m, 1h30m, 1d, 2w.</summary>
internal static partial class Duration
{
    public static TimeSpan Parse(string text, string option)
    {
        if (!Whole().IsMatch(text))
            throw new UsageException($"{option} takes a duration such as 30s, 10m, 1h30m or 2d, not \"{text}\"");
        var total = TimeSpan.Zero;
        foreach (Match part in Part().Matches(text))
        {
            var number = double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture);
            total += part.Groups[2].Value switch
            {
                "ms" => TimeSpan.FromMilliseconds(number),
                "s" => TimeSpan.FromSeconds(number),
                "m" => TimeSpan.FromMinutes(number),
                "h" => TimeSpan.FromHours(number),
                "d" => TimeSpan.FromDays(number),
                _ => TimeSpan.FromDays(7 * number),
            };
        }
        return total > TimeSpan.Zero ? total : throw new UsageException($"{option} takes a duration longer than nothing");
    }

    [GeneratedRegex(@"^(\d{1,6}(ms|s|m|h|d|w))+$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"(\d+)(ms|s|m|h|d|w)")]
    private static partial Regex Part();
}
