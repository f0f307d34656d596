using System.Globalization;

namespace Kintsugi.Pages.Values;

/// <summary>Moments as they are stored: days or microseconds since 2000-01-01. Those before year 1 or after 9999 have no text here.</summary>
internal static class TimeText
{
    private static readonly DateTime Epoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Unspecified);

    public static string Date(int days) => days switch
    {
        int.MaxValue => "infinity",
        int.MinValue => "-infinity",
        _ => Epoch.AddDays(days).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
    };

    public static string Timestamp(long microseconds, string zone) => microseconds switch
    {
        long.MaxValue => "infinity",
        long.MinValue => "-infinity",
        _ => Epoch.AddTicks(checked(microseconds * TimeSpan.TicksPerMicrosecond)).ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) + zone,
    };

    /// <summary>24:00:00 is a time of day too.</summary>
    public static string Time(long microseconds)
    {
        var (seconds, rest) = Math.DivRem(microseconds, 1_000_000);
        return string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:00}:{seconds / 60 % 60:00}:{seconds % 60:00}.{rest:000000}");
    }

    /// <param name="west">Seconds west of Greenwich.</param>
    public static string TimeWithZone(long microseconds, int west)
    {
        var offset = Math.Abs(west);
        return Time(microseconds) + string.Create(CultureInfo.InvariantCulture,
            $"{(west > 0 ? '-' : '+')}{offset / 3600:00}:{offset / 60 % 60:00}:{offset % 60:00}");
    }

    public static string Interval(long microseconds, int days, int months) => (microseconds, days, months) switch
    {
        (long.MaxValue, int.MaxValue, int.MaxValue) => "infinity",
        (long.MinValue, int.MinValue, int.MinValue) => "-infinity",
        _ => string.Create(CultureInfo.InvariantCulture, $"{months} mons {days} days {(microseconds < 0 ? "-" : "")}")
            // As hours, minutes and seconds: before 15 the number of microseconds may not be beyond an integer.
            + Time(Math.Abs(microseconds)),
    };
}
