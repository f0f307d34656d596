using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kintsugi.Cli.Output;

/// <summary>What every JSON document of ours shares.</summary>
internal static class JsonText
{
    /// <summary>Readable by people too: names in any script stand as they are.</summary>
    public static JsonWriterOptions Options { get; } = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Server(Utf8JsonWriter json, Capabilities server, string name)
    {
        json.WriteStartObject("server");
        json.WriteString("name", name);
        json.WriteString("version", server.Version);
        json.WriteString("system_identifier", server.SystemIdentifier);
        if (server.DataChecksums is { } on)
            json.WriteBoolean("data_checksums", on);
        else
            json.WriteNull("data_checksums");
        json.WriteString("data_directory", server.DataDirectory);
        json.WriteEndObject();
    }

    public static void Raw(Utf8JsonWriter json, string name, string? value)
    {
        json.WritePropertyName(name);
        if (value is null)
            json.WriteNullValue();
        else
            json.WriteRawValue(value);
    }
}
