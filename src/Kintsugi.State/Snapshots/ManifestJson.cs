using System.Text.Json;

namespace Kintsugi.State;

/// <summary>A manifest as the file manifest.json.</summary>
public static class ManifestJson
{
    private const string Format = "kintsugi.snapshot/1";

    public static byte[] Write(SnapshotManifest manifest)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
            Write(json, manifest);
        return stream.ToArray();
    }

    public static void Write(Utf8JsonWriter json, SnapshotManifest manifest)
    {
        json.WriteStartObject();
        json.WriteString("format", Format);
        json.WriteString("id", manifest.Id);
        json.WriteString("case", manifest.Case);
        json.WriteString("why", manifest.Why);
        json.WriteString("grade", manifest.Grade.ToString().ToLowerInvariant());
        json.WriteString("server", manifest.Server);
        json.WriteString("version", manifest.Version);
        json.WriteString("database", manifest.Database);
        json.WriteString("created", manifest.Created);
        json.WriteString("lsn", manifest.Lsn);
        json.WriteString("end_lsn", manifest.EndLsn);
        json.WriteNumber("timeline", manifest.Timeline);
        json.WriteBoolean("complete", manifest.Complete);
        json.WriteNumber("bytes", manifest.Bytes);
        WriteLists(json, manifest);
        json.WriteEndObject();
    }

    private static void WriteLists(Utf8JsonWriter json, SnapshotManifest manifest)
    {
        json.WriteStartArray("objects");
        foreach (var item in manifest.Objects)
        {
            json.WriteStartObject();
            json.WriteString("name", item.Name);
            json.WriteString("kind", item.Kind);
            json.WriteString("path", item.Path);
            json.WriteString("definition", item.Definition);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartObject("tablespaces");
        foreach (var (oid, place) in manifest.Tablespaces)
            json.WriteString(oid, place);
        json.WriteEndObject();
        WriteTexts(json, "notes", manifest.Notes);
        WriteTexts(json, "directories", manifest.Directories);
        json.WriteStartArray("files");
        foreach (var file in manifest.Files)
        {
            json.WriteStartObject();
            json.WriteString("name", file.Name);
            json.WriteNumber("bytes", file.Bytes);
            json.WriteString("sha256", file.Sha256);
            if (file.Note is not null)
                json.WriteString("note", file.Note);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <exception cref="FormatException">It is not a manifest.</exception>
    public static SnapshotManifest Read(ReadOnlyMemory<byte> text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return Read(document.RootElement);
        }
        catch (Exception problem) when (
            problem is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"it is not a manifest: {problem.Message}", problem);
        }
    }

    private static SnapshotManifest Read(JsonElement json) => json.GetProperty("format").GetString() != Format
        ? throw new FormatException($"its format is {json.GetProperty("format").GetString()}, this version reads {Format}")
        : new SnapshotManifest
        {
            Id = json.GetProperty("id").GetString()!,
            Case = json.GetProperty("case").GetString(),
            Why = json.GetProperty("why").GetString()!,
            Grade = Enum.Parse<SnapshotGrade>(json.GetProperty("grade").GetString()!, ignoreCase: true),
            Server = json.GetProperty("server").GetString()!,
            Version = json.GetProperty("version").GetString(),
            Database = json.GetProperty("database").GetString(),
            Created = json.GetProperty("created").GetDateTimeOffset(),
            Lsn = json.GetProperty("lsn").GetString(),
            EndLsn = json.GetProperty("end_lsn").GetString(),
            Timeline = json.GetProperty("timeline").GetInt32(),
            Complete = json.GetProperty("complete").GetBoolean(),
            Objects = [.. json.GetProperty("objects").EnumerateArray().Select(item => new SnapshotObject(
                item.GetProperty("name").GetString()!, item.GetProperty("kind").GetString()!,
                    item.GetProperty("path").GetString(),
                item.GetProperty("definition").GetString()))],
            Tablespaces = json.GetProperty("tablespaces").EnumerateObject().ToDictionary(item => item.Name,
                item => item.Value.GetString()!),
            Notes = ReadTexts(json, "notes"),
            Directories = ReadTexts(json, "directories"),
            Files = [.. json.GetProperty("files").EnumerateArray().Select(item => new SnapshotFile(
                item.GetProperty("name").GetString()!, item.GetProperty("bytes").GetInt64(),
                    item.GetProperty("sha256").GetString()!,
                item.TryGetProperty("note", out var note) ? note.GetString() : null))],
        };

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static IReadOnlyList<string> ReadTexts(JsonElement json, string name) =>
        [.. json.GetProperty(name).EnumerateArray().Select(item => item.GetString()!)];
}
