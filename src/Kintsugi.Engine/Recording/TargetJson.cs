using System.Text.Json;

namespace Kintsugi;

/// <summary>A target as JSON: the same fields as in the output of check.</summary>
public static class TargetJson
{
    public static void Write(Utf8JsonWriter json, Target target)
    {
        json.WriteStartObject();
        WriteFields(json, target);
        json.WriteEndObject();
    }

    /// <summary>The fields alone, for an object that holds more.</summary>
    public static void WriteFields(Utf8JsonWriter json, Target target)
    {
        json.WriteString("server", target.Server);
        json.WriteString("database", target.Database);
        json.WriteString("schema", target.Schema);
        json.WriteString("relation", target.Relation);
        json.WriteString("object", target.Object);
        json.WriteString("object_schema", target.ObjectSchema);
        json.WriteString("kind", Word(target.Kind));
        json.WriteString("fork", target.Fork);
        WriteNumber(json, "block", target.Block);
        WriteNumber(json, "offset", target.Offset);
        json.WriteString("column", target.Column);
        json.WriteString("rule", target.Rule);
    }

    public static Target Read(JsonElement json) => new()
    {
        Server = json.GetProperty("server").GetString()!,
        Database = Text(json, "database"),
        Schema = Text(json, "schema"),
        Relation = Text(json, "relation"),
        Object = Text(json, "object"),
        ObjectSchema = Text(json, "object_schema"),
        Kind = Enum.GetValues<TargetKind>().First(kind => Word(kind) == Text(json, "kind")),
        Fork = Text(json, "fork"),
        Block = json.TryGetProperty("block", out var block) && block.ValueKind == JsonValueKind.Number ? block.GetInt64() : null,
        Offset = json.TryGetProperty("offset", out var offset) && offset.ValueKind == JsonValueKind.Number ? offset.GetInt32() : null,
        Column = Text(json, "column"),
        Rule = Text(json, "rule"),
    };

    /// <summary>The word for a kind in documents that other programs read.</summary>
    public static string Word(TargetKind kind) => kind == TargetKind.MaterializedView ? "materialized view" : kind.ToString().ToLowerInvariant();

    private static void WriteNumber(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;
}
