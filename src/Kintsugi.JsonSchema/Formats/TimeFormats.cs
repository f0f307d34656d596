using System.Globalization;

namespace Kintsugi.JsonSchema;

/// <summary>Dates, times and durations of RFC 3339 (5.6 and appendix A).</summary>
internal static class TimeFormats
{
    public static bool DateTime(ReadOnlySpan<char> text) =>
        text.Length > 10 && text[10] is 'T' or 't' && Date(text[..10]) && Time(text[11..]);

    public static bool Date(ReadOnlySpan<char> text)
    {
        if (text.Length != 10 || text[4] != '-' || text[7] != '-' || !Number(text[..4], out var year)
            || !Number(text[5..7], out var month) || !Number(text[8..], out var day))
            return false;
        if (month is < 1 or > 12 || day < 1)
            return false;
        var leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        var days = month == 2 ? (leap ? 29 : 28) : month is 4 or 6 or 9 or 11 ? 30 : 31;
        return day <= days;
    }

    public static bool Time(ReadOnlySpan<char> text)
    {
        if (text.Length < 9 || text[2] != ':' || text[5] != ':' || !Number(text[..2], out var hour)
            || !Number(text[3..5], out var minute) || !Number(text[6..8], out var second))
            return false;
        var rest = text[8..];
        if (rest[0] == '.')
        {
            var digits = 1;
            while (digits < rest.Length && char.IsAsciiDigit(rest[digits]))
                digits++;
            if (digits == 1)
                return false;
            rest = rest[digits..];
        }

        if (!Offset(rest, out var offset) || hour > 23 || minute > 59 || second > 60)
            return false;

        // A leap second is the last of a day in UTC.
        var utc = ((hour * 60) + minute - offset + 2880) % 1440;
        return second < 60 || utc == 1439;
    }

    public static bool Duration(ReadOnlySpan<char> text)
    {
        if (text.Length < 2 || text[0] != 'P')
            return false;
        var rest = text[1..];
        if (rest[^1] == 'W')
            return Number(rest[..^1], out _);
        var mark = rest.IndexOf('T');
        var date = mark < 0 ? rest : rest[..mark];
        var time = mark < 0 ? [] : rest[(mark + 1)..];
        if (mark >= 0 && time.IsEmpty)
            return false;
        return Parts(date, "YMD") && Parts(time, "HMS");
    }

    /// <summary>Numbers with units in order; a unit between two that are given may not be left out.</summary>
    private static bool Parts(ReadOnlySpan<char> text, string units)
    {
        var last = -1;
        while (!text.IsEmpty)
        {
            var digits = 0;
            while (digits < text.Length && char.IsAsciiDigit(text[digits]))
                digits++;
            if (digits == 0 || digits == text.Length)
                return false;
            var unit = units.IndexOf(text[digits], StringComparison.Ordinal);
            if (unit < 0 || unit <= last || (last >= 0 && unit != last + 1))
                return false;
            last = unit;
            text = text[(digits + 1)..];
        }

        return true;
    }

    private static bool Offset(ReadOnlySpan<char> text, out int minutes)
    {
        minutes = 0;
        if (text is "Z" or "z")
            return true;
        if (text.Length != 6 || text[0] is not ('+' or '-') || text[3] != ':' || !Number(text[1..3], out var hours)
            || !Number(text[4..], out var rest) || hours > 23 || rest > 59)
            return false;
        minutes = ((hours * 60) + rest) * (text[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool Number(ReadOnlySpan<char> text, out int value)
    {
        value = 0;
        return !text.IsEmpty && !text.ContainsAnyExceptInRange('0', '9')
            && (text.Length > 9 || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value));
    }
}
