using System.Text;
using System.Text.Json;
using Kintsugi.Postgres.Repairs.Rows;

namespace Kintsugi.Cli.Output;

/// <summary>Kept rows in both forms.</summary>
internal static class QuarantineOutput
{
    public static string Text(IReadOnlyList<(string Database, QuarantineEntry Entry)> all, bool whole)
    {
        var text = new StringBuilder();
        foreach (var (database, entry) in all)
        {
            text.AppendLine($"{entry.Id,6}  {entry.At.UtcDateTime:yyyy-MM-dd HH:mm}  case {entry.Case}  {entry.Kind,-7}  {database}  {entry.Relation}  "
                + $"{entry.Key}{(entry.RestoredAt is { } at ? $"  put back {at.UtcDateTime:yyyy-MM-dd HH:mm}" : "")}");
            if (!whole)
                continue;
            for (var i = 0; i < entry.Columns.Count; i++)
            {
                var old = entry.Values[i] ?? (entry.Raw[i] is { } bytes ? $"\\x{Convert.ToHexStringLower(bytes)}" : "NULL");
                var now = entry.Changed.Contains(entry.Columns[i]) && entry.After.Count > i ? $"   now {entry.After[i] ?? "NULL"}" : "";
                text.AppendLine($"          {entry.Columns[i]} ({entry.Types[i]}) = {old}{now}");
            }
        }
        return text.ToString().TrimEnd();
    }

    public static string Json(IReadOnlyList<(string Database, QuarantineEntry Entry)> all)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteString("format", "kintsugi.quarantine/1");
            json.WriteStartArray("rows");
            foreach (var (database, entry) in all)
                Write(json, database, entry);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Write(Utf8JsonWriter json, string database, QuarantineEntry entry)
    {
        json.WriteStartObject();
        json.WriteNumber("id", entry.Id);
        json.WriteString("at", entry.At);
        json.WriteString("case", entry.Case);
        json.WriteString("database", database);
        json.WriteString("relation", entry.Relation);
        json.WriteString("kind", entry.Kind);
        json.WriteString("rule", entry.Rule);
        JsonText.Raw(json, "key", entry.Key);
        JsonText.Raw(json, "row", entry.Display);
        json.WriteStartArray("changed");
        foreach (var column in entry.Changed)
            json.WriteStringValue(column);
        json.WriteEndArray();
        if (entry.RestoredAt is { } at)
            json.WriteString("restored_at", at);
        else
            json.WriteNull("restored_at");
        json.WriteEndObject();
    }
}
