using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Kintsugi.Postgres.Operating;

/// <summary>One page before and after, as a plan's argument.</summary>
/// <param name="Before">SHA-256 of the page that is replaced, in hex: another page is not.</param>
/// <param name="After">The page to be there, sealed with its checksum.</param>
internal sealed record PageChange(long Block, string Before, byte[] After)
{
    public static string Sum(ReadOnlySpan<byte> page) => Convert.ToHexStringLower(SHA256.HashData(page));

    public static string Write(IEnumerable<PageChange> changes) => new JsonArray([.. changes.Select(change => (JsonNode)new JsonObject
    {
        ["block"] = change.Block,
        ["before"] = change.Before,
        ["after"] = Convert.ToBase64String(change.After),
    })]).ToJsonString();

    public static IReadOnlyList<PageChange> Read(string text)
    {
        using var json = JsonDocument.Parse(text);
        return [.. json.RootElement.EnumerateArray().Select(change => new PageChange(
            change.GetProperty("block").GetInt64(), change.GetProperty("before").GetString()!, change.GetProperty("after").GetBytesFromBase64()))];
    }
}
