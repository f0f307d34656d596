using System.Text;
using System.Text.Json;

namespace Kintsugi;

/// <summary>A node's answer about a unit as JSON, as it travels to the node that leads the look.</summary>
public static class UnitAnswerJson
{
    public static string Write(UnitAnswer answer)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("verdict", answer.Verdict.Word);
            json.WriteString("why", answer.Verdict.Why);
            json.WriteNumber("seconds", answer.Took.TotalSeconds);
            json.WriteBoolean("crashed", answer.Crashed);
            json.WriteStartArray("findings");
            foreach (var finding in (answer.Verdict as Verdict.Damaged)?.Findings ?? [])
                FindingJson.Write(json, finding);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <exception cref="FormatException">It is of another version.</exception>
    public static UnitAnswer Read(string text)
    {
        using var document = JsonDocument.Parse(text);
        var json = document.RootElement;
        var why = json.GetProperty("why").GetString() ?? "";
        Verdict verdict = json.GetProperty("verdict").GetString() switch
        {
            "sound" => Verdict.Sound.Instance,
            "damaged" => new Verdict.Damaged([.. json.GetProperty("findings").EnumerateArray().Select(finding =>
                FindingJson.Read(finding) ?? throw new FormatException("a finding of a fault class that this version does not know"))]),
            "unchecked" => new Verdict.Unchecked(why),
            "not_applicable" => new Verdict.NotApplicable(why),
            var other => throw new FormatException($"\"{other}\" is no verdict"),
        };
        return new UnitAnswer(verdict, TimeSpan.FromSeconds(json.GetProperty("seconds").GetDouble())) { Crashed = json.GetProperty("crashed").GetBoolean() };
    }
}
