using System.Text;
using System.Text.Json;

namespace Kintsugi;

/// <summary>The kinds of facts in a case's life, in the order in which they usually come.</summary>
public static class Facts
{
    public const string Found = "found";
    public const string Confirmed = "confirmed";
    public const string Refused = "refused";
    public const string Planned = "planned";
    public const string Judged = "judged";
    public const string SnapshotTaken = "snapshot";
    public const string Intended = "intended";
    public const string Done = "done";
    public const string Failed = "failed";
    public const string Cleaned = "cleaned";
    public const string Verified = "verified";
    public const string Ended = "ended";
    public const string Approved = "approved";
    public const string Rejected = "rejected";
    public const string Retried = "retried";
    public const string Accepted = "accepted";
    public const string Acknowledged = "acknowledged";
    public const string Undone = "undone";

    /// <summary>In a failed attempt: the repair was kept from working, which says nothing against it.</summary>
    public const string KeptOut = "kept_out";

    /// <summary>A JSON object from names and values; nulls are left out.</summary>
    public static string Data(params ReadOnlySpan<(string Name, string? Value)> fields)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach (var (name, value) in fields)
                if (value is not null)
                    json.WriteString(name, value);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The string fields of such an object.</summary>
    public static IReadOnlyDictionary<string, string> Read(string data)
    {
        using var json = JsonDocument.Parse(data);
        return json.RootElement.EnumerateObject()
            .Where(field => field.Value.ValueKind == JsonValueKind.String)
            .ToDictionary(field => field.Name, field => field.Value.GetString()!);
    }
}
