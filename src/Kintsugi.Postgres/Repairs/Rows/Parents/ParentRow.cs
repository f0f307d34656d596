using System.Text.Json.Nodes;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows.Parents;

/// <summary>A row that can be put back into its table, and where it was found.</summary>
/// <param name="Columns">Those that are written; generated ones are computed.</param>
/// <param name="Values">Each column's text as its type writes it.</param>
/// <param name="Source">For people: quarantine entry 7, the row version at (0,3).</param>
internal sealed record ParentRow(Relation Table, IReadOnlyList<string> Columns, IReadOnlyList<string?> Values, string Source)
{
    /// <summary>Its entry in kintsugi.quarantine, or null.</summary>
    public long? Kept { get; init; }

    /// <summary>Its bytes on the page, or null.</summary>
    public byte[]? Tuple { get; init; }

    /// <summary>The transaction that wrote it: of several versions the newest counts.</summary>
    public uint Writer { get; init; }

    public string? this[string column] => Columns.ToList().IndexOf(column) is >= 0 and var at ? Values[at] : null;

    /// <summary>What tells it from every other row that was found.</summary>
    public string Identity => $"{Table.Oid} {Source}";

    public JsonArray ToJson() => new(
        Text(Quote.Name(Table)), new JsonArray([.. Columns.Select(Text)]), new JsonArray([.. Values.Select(Text)]), Text(Source),
        Text(Kept?.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    private static JsonNode? Text(string? text) => text is null ? null : JsonValue.Create(text);
}
