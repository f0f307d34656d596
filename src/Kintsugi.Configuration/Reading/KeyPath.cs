namespace Kintsugi.Configuration.Reading;

/// <summary>The dotted path of a key, as messages show it.</summary>
internal static class KeyPath
{
    public static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}
