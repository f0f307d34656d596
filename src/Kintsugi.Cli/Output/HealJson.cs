using System.Text;
using System.Text.Json;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Output;

/// <summary>The document kintsugi.heal/1.</summary>
internal static class HealJson
{
    public static string Write(
        Subject subject, DateTimeOffset started, DateTimeOffset finished, IReadOnlyList<CaseReport> cases, ScrubReport last,
        Baseline baseline)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteString("format", "kintsugi.heal/1");
            JsonText.Server(json, subject.Server, subject.Place);
            json.WriteString("started", started);
            json.WriteString("finished", finished);
            json.WriteStartArray("cases");
            foreach (var item in cases)
                Case(json, item);
            json.WriteEndArray();
            CheckJson.Verdicts(json, last);
            json.WriteStartArray("findings_left");
            foreach (var finding in last.Findings)
                CheckJson.Finding(json, finding, subject.Registry, baseline);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Case(Utf8JsonWriter json, CaseReport report)
    {
        var healing = report.Case;
        json.WriteStartObject();
        json.WriteString("id", healing.Id);
        json.WriteString("cause", healing.Cause);
        json.WriteString("fault", healing.Fault.Id);
        json.WriteString("database", healing.Database);
        json.WriteString("schema", healing.Target.Schema);
        json.WriteString("relation", healing.Target.Relation);
        json.WriteString("object", healing.Target.Object);
        Texts(json, "objects", healing.Objects);
        Texts(json, "findings", [.. healing.Findings.Select(finding => finding.Id)]);
        json.WriteString("outcome", report.Outcome.Word);
        json.WriteString("repair", report.Plan?.Repair);
        json.WriteString("grade", report.Plan?.Grade.ToString().ToLowerInvariant());
        json.WriteNumber("attempts", report.Attempts);
        json.WriteString("snapshot", report.Snapshot);
        json.WriteNumber("rows_quarantined", report.RowsQuarantined);
        json.WriteNumber("rows_changed", report.RowsChanged);
        json.WriteNumber("rows_lost", report.RowsLost);
        json.WriteString("reason", report.Outcome.Why);
        json.WriteStartArray("steps");
        foreach (var step in report.Steps)
        {
            json.WriteStartObject();
            json.WriteString("do", step.Step.Do);
            json.WriteString("lock", step.Step.Lock);
            json.WriteString("why", step.Step.Why);
            json.WriteString("note", step.Note);
            json.WriteNumber("duration_ms", Math.Round(step.Duration.TotalMilliseconds, 1));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("duration_ms", Math.Round(report.Duration.TotalMilliseconds, 1));
        json.WriteEndObject();
    }

    private static void Texts(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
