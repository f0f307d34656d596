namespace Kintsugi.Postgres.Connecting;

/// <summary>Reads options that take one of a few words or a number. What was given is not repeated: a slip in the quoting can
/// put a password there.</summary>
internal static class Choice
{
    public static string? OneOf(OptionValues values, string keyword, params ReadOnlySpan<string> allowed)
    {
        if (!values.TryGet(keyword, out var value))
        {
            return null;
        }

        return allowed.Contains(value)
            ? value
            : throw new ConnectionSettingsException(
                $"{keyword} (from {values.Origin(keyword)}) has a value it cannot have. Use one of: {string.Join(", ", allowed)}.");
    }

    public static int? Number(OptionValues values, string keyword)
    {
        if (!values.TryGet(keyword, out var value))
        {
            return null;
        }

        return int.TryParse(value.Trim(), out var number)
            ? number
            : throw new ConnectionSettingsException(
                $"{keyword} (from {values.Origin(keyword)}) is not a whole number. Give a number, of seconds where it is a time.");
    }
}
