using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kintsugi.Web.Api;

/// <summary>Pieces of answers.</summary>
internal static class ApiJson
{
    public static JsonArray List<T>(IEnumerable<T> items, Func<T, JsonNode> write) => new([.. items.Select(write)]);

    public static string? Time(DateTimeOffset? time) => time?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'");

    /// <summary>What the engine itself writes as JSON.</summary>
    public static JsonNode Of(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
            write(json);
        return JsonNode.Parse(stream.ToArray())!;
    }
}
