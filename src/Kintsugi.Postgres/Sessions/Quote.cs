namespace Kintsugi.Postgres.Sessions;

/// <summary>The one place where names become SQL.</summary>
public static class Quote
{
    /// <summary>Always quoted, so that no word, case or character can be mistaken.</summary>
    public static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public static string Name(string? schema, string name) => schema is null ? Identifier(name) : $"{Identifier(schema)}.{Identifier(name)}";

    public static string Name(Relation relation) => Name(relation.Schema, relation.Name);

    /// <summary>A string constant that means the same whatever standard_conforming_strings says.</summary>
    public static string Literal(string value)
    {
        var quoted = value.Replace("'", "''", StringComparison.Ordinal);
        return quoted.Contains('\\', StringComparison.Ordinal)
            ? $"E'{quoted.Replace("\\", "\\\\", StringComparison.Ordinal)}'"
            : $"'{quoted}'";
    }
}
