namespace Kintsugi.Postgres.Checks;

/// <summary>
/// amcheck's own false positives, from the release notes of the versions that mended them: an accusation of those words by a server older
/// than the mend does not count, and says which version to go to.
/// </summary>
internal static class KnownFalseAlarms
{
    /// <param name="MendedIn">The first minor of each major (server_version_num) that no longer says it.</param>
    private sealed record Alarm(string Words, IReadOnlyList<int> MendedIn, string What)
    {
        /// <summary>No release of 13 mends it.</summary>
        public bool StaysIn13 { get; init; }
    }

    private static readonly Alarm[] Alarms =
    [
        new("mismatch between parent key and child high key", [140021, 150016, 160012, 170008, 180002], "a half-dead page during a parent check") { StaysIn13 = true },
        new("is not true root", [140021, 150016, 160012, 170008, 180002], "a root split that was interrupted") { StaysIn13 = true },
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
            if (alarm.StaysIn13 && version / 10000 == 13)
                return $"amcheck of every 13 says \"{message}\" also of {alarm.What}; REINDEX CONCURRENTLY takes the doubt away, or a later major";
            if (mended != 0 && version < mended)
                return $"amcheck of this version says \"{message}\" also of {alarm.What}; "
                    + $"upgrade to {mended / 10000}.{mended % 10000} or later, then check again";
        }
        return null;
    }
}
