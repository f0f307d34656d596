using System.Text.Json.Nodes;

namespace Kintsugi.Hosting;

/// <summary>What a receiver is told: kintsugi.alert/1.</summary>
/// <param name="Key">The same for an alert and its resolve.</param>
/// <param name="State">firing, resolved, notice (something to know that does not go on), test.</param>
public sealed record Alert(string Key, string State, Severity Severity, string Target, string Text, string? Case, DateTimeOffset At)
{
    public const string Firing = "firing", Resolved = "resolved", NoticeState = "notice", Test = "test";

    public string ToJson() => new JsonObject
    {
        ["format"] = "kintsugi.alert/1", ["key"] = Key, ["state"] = State, ["severity"] = Severity.ToString().ToLowerInvariant(),
        ["target"] = Target, ["text"] = Text, ["case"] = Case, ["at"] = At.ToString("O"),
    }.ToJsonString();

    public static Alert Read(string json)
    {
        var node = JsonNode.Parse(json)!;
        return new Alert((string)node["key"]!, (string)node["state"]!, Enum.Parse<Severity>((string)node["severity"]!, ignoreCase: true),
            (string)node["target"]!, (string)node["text"]!, (string?)node["case"], DateTimeOffset.Parse((string)node["at"]!, null));
    }

    /// <summary>One line for people.</summary>
    public string Sentence => $"[{Severity.ToString().ToLowerInvariant()}] {State}: {Target}: {Text}";
}
