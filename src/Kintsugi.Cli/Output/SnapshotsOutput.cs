using System.Text;
using System.Text.Json;

namespace Kintsugi.Cli.Output;

/// <summary>Snapshots in both forms.</summary>
internal static class SnapshotsOutput
{
    public static string Text(IReadOnlyList<SnapshotManifest> all, string directory) => all.Count == 0
        ? $"No snapshot so far in {directory}."
        : string.Join('\n', all.Select(manifest => $"{manifest.Id}  {manifest.Created.UtcDateTime:yyyy-MM-dd HH:mm}  "
            + $"{manifest.Grade.ToString().ToLowerInvariant(),-8}  {Output.Text.Bytes(manifest.Bytes),10}  case {manifest.Case ?? "none"}  {manifest.Why}"));

    public static string Text(SnapshotManifest manifest, string place)
    {
        var text = new StringBuilder();
        text.AppendLine($"snapshot {manifest.Id}, {manifest.Grade.ToString().ToLowerInvariant()}, in {place}");
        text.AppendLine($"why: {manifest.Why}{(manifest.Case is { } id ? $" (case {id})" : "")}");
        text.AppendLine($"of: server {manifest.Server}, PostgreSQL {manifest.Version}, database {manifest.Database}, timeline {manifest.Timeline}, "
            + $"WAL position {manifest.Lsn}, taken {manifest.Created:O}");
        foreach (var item in manifest.Objects)
            text.AppendLine($"object: {item.Kind} {item.Name}{(item.Path is { } path ? $" at {path}" : "")}{(item.Definition is { } sql ? $": {sql}" : "")}");
        foreach (var file in manifest.Files)
            text.AppendLine($"file: {file.Name}  {file.Bytes} bytes  sha256 {file.Sha256}{(file.Note is { } note ? $"  {note}" : "")}");
        foreach (var note in manifest.Notes)
            text.AppendLine($"note: {note}");
        return text.ToString().TrimEnd();
    }

    public static string Json(IReadOnlyList<SnapshotManifest> all) => Document(json =>
    {
        json.WriteStartArray("snapshots");
        foreach (var manifest in all)
            State.ManifestJson.Write(json, manifest);
        json.WriteEndArray();
    });

    public static string Verified(string id, IReadOnlyList<string> faults) => Document(json =>
    {
        json.WriteString("id", id);
        json.WriteBoolean("whole", faults.Count == 0);
        json.WriteStartArray("faults");
        foreach (var fault in faults)
            json.WriteStringValue(fault);
        json.WriteEndArray();
    });

    private static string Document(Action<Utf8JsonWriter> body)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteString("format", "kintsugi.snapshots/1");
            body(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
