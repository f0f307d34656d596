using System.Text.Json;

namespace Kintsugi;

/// <summary>A finding as JSON, as the ledger keeps it.</summary>
public static class FindingJson
{
    public static void Write(Utf8JsonWriter json, Finding finding)
    {
        json.WriteStartObject();
        json.WriteString("id", finding.Id);
        json.WriteString("fault", finding.Fault.Id);
        json.WriteString("check", finding.Check);
        json.WriteString("evidence", finding.Evidence);
        json.WriteString("sqlstate", finding.SqlState);
        json.WriteString("hint", finding.Hint);
        json.WriteString("provisional", finding.Provisional);
        if (finding.Rows is { } rows)
            json.WriteNumber("rows", rows);
        if (finding.Key is { } key)
            json.WriteString("key", key);
        if (finding.SeverityOverride is { } severity)
            json.WriteString("severity", severity.ToString());
        json.WriteStartObject("facts");
        foreach (var (name, value) in finding.Facts)
            json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteStartArray("samples");
        foreach (var sample in finding.Samples)
            json.WriteStringValue(sample);
        json.WriteEndArray();
        json.WritePropertyName("target");
        TargetJson.Write(json, finding.Target);
        json.WriteEndObject();
    }

    /// <summary>Reads it back; null when its fault class is unknown to this version.</summary>
    public static Finding? Read(JsonElement json) =>
        Faults.Find(json.GetProperty("fault").GetString()!) is not { } fault
            ? null
            : new Finding(fault, TargetJson.Read(json.GetProperty("target")), json.GetProperty("evidence").GetString()!)
            {
                Check = json.GetProperty("check").GetString()!,
                SqlState = json.GetProperty("sqlstate").GetString(),
                Hint = json.GetProperty("hint").GetString(),
                Provisional = json.GetProperty("provisional").GetString(),
                Rows = json.TryGetProperty("rows", out var rows) ? rows.GetInt64() : null,
                Key = json.TryGetProperty("key", out var key) ? key.GetString() : null,
                SeverityOverride = json.TryGetProperty("severity", out var severity) ? Enum.Parse<Severity>(severity.GetString()!) : null,
                Facts = json.GetProperty("facts").EnumerateObject().ToDictionary(item => item.Name, item => item.Value.GetString()!),
                Samples = [.. json.GetProperty("samples").EnumerateArray().Select(item => item.GetString()!)],
            };
}
