using System.Collections;

namespace Kintsugi.Configuration;

/// <summary>What a configuration may refer to outside its own text. Passed in, so that reading is a pure function.</summary>
/// <param name="Variables">The environment: overrides (<c>KINTSUGI__…</c>) and what <c>${env:X}</c> names.</param>
/// <param name="ReadFile">The text of a file, or null when it is not there or not readable.</param>
/// <param name="SchemaMistake">What is wrong with a JSON Schema, or null when nothing is; absent, schemas are not looked into.</param>
public sealed record ConfigurationSurroundings(
    IReadOnlyDictionary<string, string> Variables, Func<string, string?> ReadFile, Func<string, string?>? SchemaMistake = null)
{
    public static ConfigurationSurroundings OfThisProcess(Func<string, string?>? schemaMistake = null)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        }

        return new(variables, ReadOrNull, schemaMistake);
    }

    private static string? ReadOrNull(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null; // the reader names the file and the line that asked for it
        }
    }
}
