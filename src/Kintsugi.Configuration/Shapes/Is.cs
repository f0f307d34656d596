using System.Globalization;
using System.Text.Json.Nodes;
using Kintsugi.Configuration.Reading;

namespace Kintsugi.Configuration.Shapes;

/// <summary>The single values that the tables are made of.</summary>
internal static class Is
{
    public static readonly Shape<bool> Flag = new Scalar<bool>(
        "true or false", () => new() { ["type"] = "boolean" }, ParseFlag, quoted: false);

    public static readonly Shape<string> Text = TextCalled("text");

    public static readonly Shape<string> Sql = TextCalled("SQL text");

    public static readonly Shape<TimeSpan> Duration = new Scalar<TimeSpan>(
        "a duration such as 10m",
        () => new() { ["type"] = "string", ["pattern"] = "^([0-9]+(ms|s|m|h|d|w))+$" },
        (string text, ReadingContext _, out TimeSpan value) => Quantity.Duration(text, out value));

    public static readonly Shape<long> Size = new Scalar<long>(
        "a size such as 200GB",
        () => new() { ["type"] = "string", ["pattern"] = "^[0-9]+ *([kKMGT]?B)$" },
        (string text, ReadingContext _, out long value) => Quantity.Size(text, out value));

    public static readonly Shape<double> Share = new Scalar<double>(
        "a share such as 1%",
        () => new() { ["type"] = "string", ["pattern"] = "^[0-9]+([.][0-9]+)? *%$" },
        (string text, ReadingContext _, out double value) => Quantity.Share(text, out value));

    public static readonly Shape<TimeOnly> TimeOfDay = new Scalar<TimeOnly>(
        "a time of day such as \"02:00\"",
        () => new() { ["type"] = "string", ["pattern"] = "^([01][0-9]|2[0-3]):[0-5][0-9]$" },
        ParseTimeOfDay);

    public static readonly Shape<TimeZoneInfo> Zone = new Scalar<TimeZoneInfo>(
        "a time zone such as Europe/Berlin", () => new() { ["type"] = "string" }, ParseZone);

    /// <summary>A file or directory; relative ones start from the configuration file's directory.</summary>
    public static readonly Shape<string> Path = new Scalar<string>(
        "a path", () => new() { ["type"] = "string", ["minLength"] = 1 }, ParsePath);

    public static readonly Shape<Uri> Url = new Scalar<Uri>(
        "a URL", () => new() { ["type"] = "string", ["format"] = "uri" }, ParseUrl);

    public static readonly Shape<string> Sha256 = new Scalar<string>(
        "a SHA-256 in hexadecimal", () => new() { ["type"] = "string", ["pattern"] = "^[0-9a-fA-F]{64}$" }, ParseSha256);

    public static Shape<int> Whole(int least, int most) => new Scalar<int>(
        "a whole number",
        () => new() { ["type"] = "integer", ["minimum"] = least, ["maximum"] = most },
        (string text, ReadingContext _, out int value) =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= least && value <= most
                ? null
                : $"\"{text}\" is not a whole number from {least} to {most}",
        quoted: false);

    public static Shape<long> Count(long least) => new Scalar<long>(
        "a whole number",
        () => new() { ["type"] = "integer", ["minimum"] = least },
        (string text, ReadingContext _, out long value) =>
            long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= least
                ? null
                : $"\"{text}\" is not a whole number from {least} up",
        quoted: false);

    /// <summary>One of a few words, each standing for a value.</summary>
    public static Shape<T> OneOf<T>(params (string Word, T Value)[] words) => new Scalar<T>(
        $"one of {string.Join(", ", words.Select(word => word.Word))}",
        () => new() { ["enum"] = new JsonArray([.. words.Select(word => (JsonNode)word.Word)]) },
        (string text, ReadingContext _, out T value) =>
        {
            var at = Array.FindIndex(words, word => word.Word == text);
            value = at < 0 ? default! : words[at].Value;
            return at >= 0
                ? null
                : $"\"{text}\" is not one of {string.Join(", ", words.Select(word => word.Word))}"
                    + Suggestion.For(text, words.Select(word => word.Word));
        });

    private static Scalar<string> TextCalled(string what) => new(
        what,
        () => new() { ["type"] = "string", ["minLength"] = 1 },
        (string text, ReadingContext _, out string value) =>
        {
            value = text;
            return string.IsNullOrWhiteSpace(text) ? $"expected {what}, found an empty one" : null;
        });

    private static string? ParseFlag(string text, ReadingContext _, out bool value)
    {
        value = text is "true" or "True" or "TRUE";
        return value || text is "false" or "False" or "FALSE" ? null : $"\"{text}\" is neither true nor false; write one of them";
    }

    private static string? ParseTimeOfDay(string text, ReadingContext _, out TimeOnly value) =>
        TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out value)
            ? null
            : $"\"{text}\" is not a time of day; write hours and minutes such as \"02:00\" or \"23:30\"";

    private static string? ParseZone(string text, ReadingContext _, out TimeZoneInfo value)
    {
        if (TimeZoneInfo.TryFindSystemTimeZoneById(text, out var zone))
        {
            value = zone;
            return null;
        }

        value = TimeZoneInfo.Utc;
        return $"\"{text}\" is not a time zone known here; write a name such as Europe/Berlin or UTC";
    }

    private static string? ParsePath(string text, ReadingContext reading, out string value)
    {
        value = text;
        if (string.IsNullOrWhiteSpace(text) || text.Contains('\0', StringComparison.Ordinal))
        {
            return "expected a path, found an empty one";
        }

        value = reading.FullPath(text);
        return null;
    }

    private static string? ParseUrl(string text, ReadingContext _, out Uri value)
    {
        var right = Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https";
        value = url!;
        return right ? null : "this is not a URL; it begins with https:// or http://"; // it may hold a token: never repeated
    }

    private static string? ParseSha256(string text, ReadingContext _, out string value)
    {
        value = text.ToLowerInvariant();
        return text.Length == 64 && text.All(char.IsAsciiHexDigit)
            ? null
            : "this is not a SHA-256 of 64 hexadecimal digits; make one with: printf %s \"$KEY\" | sha256sum";
    }
}
