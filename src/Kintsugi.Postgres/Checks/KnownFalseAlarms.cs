namespace Kintsugi.Postgres.Checks;

/// <summary>
/// amcheck's own false positives, from the release notes of the versions that mended them: an accusation of those words by a server older
/// than the mend does not count, and says which version to go to.
/// </summary>
internal static class KnownFalseAlarms
{
    /// <param name="MendedIn">The first minor of each major (server_version_num) that no longer says it.</param>
    private sealed record Alarm(string Words, IReadOnlyList<int> MendedIn, string What);

    private static readonly Alarm[] Alarms =
    [
        new("mismatch between parent key and child high key", [140021, 150016, 160012, 170008, 180002], "a half-dead page during a parent check"),
        new("is not true root", [140021, 150016, 160012, 170008, 180002], "a root split that was interrupted"),
        new("is not leftmost", [130013, 140010, 150005, 160001], "a page deletion that was interrupted"),
        new("left link/right link pair in index", [130013, 140010, 150005, 160001], "a page deletion that was interrupted"),
    ];

    /// <summary>Why the message does not count on this version, or null when it does.</summary>
    public static string? Explain(string message, int version)
    {
        foreach (var alarm in Alarms)
        {
            if (!message.Contains(alarm.Words, StringComparison.Ordinal))
                continue;
            var mended = alarm.MendedIn.FirstOrDefault(number => number / 10000 == version / 10000);
            if (mended != 0 && version < mended)
                return $"amcheck of this version says \"{message}\" also of {alarm.What}; "
                    + $"upgrade to {mended / 10000}.{mended % 10000} or later, then check again";
        }
        return null;
    }
}
