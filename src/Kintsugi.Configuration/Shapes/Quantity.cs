using System.Globalization;

namespace Kintsugi.Configuration.Shapes;

/// <summary>Durations, sizes and shares as people write them.</summary>
public static class Quantity
{
    private static readonly (string Unit, long Ticks)[] DurationUnits =
    [
        ("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute),
        ("h", TimeSpan.TicksPerHour), ("d", TimeSpan.TicksPerDay), ("w", 7 * TimeSpan.TicksPerDay),
    ];

    /// <summary>Units as in PostgreSQL's own settings: powers of 1024.</summary>
    private static readonly (string Unit, long Bytes)[] SizeUnits =
        [("B", 1), ("kB", 1L << 10), ("KB", 1L << 10), ("MB", 1L << 20), ("GB", 1L << 30), ("TB", 1L << 40)];

    /// <summary>The longest duration taken: ten years. More is a slip of the hand.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>Reads <c>10m</c>, <c>1w</c>, <c>1h30m</c>, <c>500ms</c>.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? Duration(string text, out TimeSpan value)
    {
        const string Advice = "write a duration such as 30s, 10m, 1h30m, 1d or 1w";
        value = TimeSpan.Zero;
        var at = 0;
        Int128 ticks = 0;
        while (at < text.Length)
        {
            if (!TryNumber(text, ref at, out var number))
            {
                return $"\"{text}\" is not a duration; {Advice}";
            }

            var from = at;
            while (at < text.Length && char.IsAsciiLetter(text[at]))
            {
                at++;
            }

            var unit = text[from..at];
            var ticksOfUnit = Array.Find(DurationUnits, known => known.Unit == unit).Ticks;
            if (ticksOfUnit == 0)
            {
                return unit.Length == 0 ? $"\"{text}\" has no unit; {Advice}" : $"\"{unit}\" is not a unit of time; {Advice}";
            }

            ticks += (Int128)number * ticksOfUnit;
        }

        if (ticks == 0)
        {
            return text.Length == 0 ? $"no duration was given; {Advice}" : $"a duration cannot be 0; {Advice}";
        }

        if (ticks > Longest.Ticks)
        {
            return $"\"{text}\" is longer than ten years; {Advice}";
        }

        value = new((long)ticks);
        return null;
    }

    /// <summary>Reads <c>200GB</c>, <c>64MB</c>, <c>8kB</c> as bytes.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? Size(string text, out long value)
    {
        const string Advice = "write a size such as 512MB, 200GB or 2TB";
        value = 0;
        var at = 0;
        if (!TryNumber(text, ref at, out var number))
        {
            return $"\"{text}\" is not a size; {Advice}";
        }

        var unit = text[at..].Trim();
        var bytes = Array.Find(SizeUnits, known => known.Unit == unit).Bytes;
        if (bytes == 0)
        {
            return unit.Length == 0 ? $"\"{text}\" has no unit; {Advice}" : $"\"{unit}\" is not a unit of size; {Advice}";
        }

        if (number == 0 || (Int128)number * bytes > long.MaxValue)
        {
            return $"\"{text}\" is not a possible size; {Advice}";
        }

        value = number * bytes;
        return null;
    }

    /// <summary>Reads <c>1%</c>, <c>0.5%</c> as 0 to 1.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? Share(string text, out double value)
    {
        value = 0;
        const string Advice = "write a share such as 1% or 0.5%";
        if (!text.EndsWith('%')
            || !double.TryParse(text[..^1].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent))
        {
            return $"\"{text}\" is not a share; {Advice}";
        }

        value = percent / 100;
        return percent is > 0 and <= 100 ? null : $"\"{text}\" is not more than 0% and at most 100%; {Advice}";
    }

    private static bool TryNumber(string text, ref int at, out long number)
    {
        var from = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }

        return long.TryParse(text.AsSpan(from, at - from), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
