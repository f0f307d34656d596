namespace Kintsugi.Lab;

/// <summary>Names and texts as SQL writes them.</summary>
internal static class SqlName
{
    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
