namespace Kintsugi.Postgres.Connecting;

/// <summary>Reads options that take one of a few words, a number or a yes.</summary>
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
                $"\"{value}\" is not a value of {keyword} (from {values.Origin(keyword)}). Use one of: {string.Join(", ", allowed)}.");
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
                $"\"{value}\" is not a whole number for {keyword} (from {values.Origin(keyword)}). Give a number of seconds.");
    }
}
