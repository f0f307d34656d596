using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>Which rows of one table are asked for, in SQL that stands after WHERE.</summary>
/// <param name="Table">The table that is read; partitions are read one by one, never through their parent.</param>
/// <param name="Violation">True for a bad row, and false or NULL for a good one. Columns are bare or behind <see
/// cref="Row"/>.</param>
/// <param name="Key">The columns that a person knows the row by; empty where only its place can be told.</param>
internal sealed record RowQuestion(Relation Table, string Violation, IReadOnlyList<string> Key)
{
    /// <summary>An SQL expression of type text that is told of sample rows beside their key, or null.</summary>
    public string? Shown { get; init; }

    /// <summary>Blocks of other tables that every statement about a part of this one reads along.</summary>
    public long Beside { get; init; }

    /// <summary>
    /// The condition looks at <see cref="BytesOf"/>: all that comes back is told in ASCII, and text of the key in hexadecimal digits.
    /// </summary>
    public bool Raw { get; init; }

    /// <summary>
    /// SQL for a text's bytes as they are stored, in any encoding. textsend gives them unconverted to a client of SQL_ASCII; the setting is made while
    /// the statement runs, because its own text was written in UTF-8, and ends with the transaction.
    /// </summary>
    public static string BytesOf(string text) =>
        $"CASE WHEN (SELECT pg_catalog.set_config('client_encoding', 'SQL_ASCII', true)) IS NOT NULL THEN pg_catalog.textsend({text}) END";

    /// <summary>Ends what <see cref="BytesOf"/> began, for a statement that follows in the same transaction.</summary>
    public const string AsBefore = "SELECT pg_catalog.set_config('client_encoding', 'UTF8', true)";

    /// <summary>
    /// The role whose rights the conditions run with, where they call functions of that role; null for our own.
    /// </summary>
    public string? Role { get; init; }

    /// <summary>
    /// What stands after FROM. The table's own name is the row's name: expressions of the catalog may name the whole row by it.
    /// </summary>
    public string From => $"ONLY {Quote.Name(Table)}";

    public string Row => Quote.Identifier(Table.Name);

    /// <summary>The key of a row as a JSON object: by column names, or by its place.</summary>
    public string KeyAsJson => Raw ? $"pg_catalog.encode(pg_catalog.convert_to({Json}, 'UTF8'), 'hex')" : Json;

    private string Json => Key.Count == 0 ? PlaceAsJson : JsonOf(Row, Key);

    public string PlaceAsJson => $"pg_catalog.json_build_object('ctid', {Row}.ctid)::pg_catalog.text";

    public static string JsonOf(string row, IReadOnlyList<string> columns)
    {
        var pairs = columns.Select(column => $"{Quote.Literal(column)}, {row}.{Quote.Identifier(column)}");
        return $"pg_catalog.json_build_object({string.Join(", ", pairs)})::pg_catalog.text";
    }
}

/// <summary>A bad row that was seen under two MVCC snapshots.</summary>
/// <param name="Place">Its ctid as text.</param>
/// <param name="Version">Its xmin as text: with the place it names this version of the row.</param>
/// <param name="Key">A JSON object.</param>
internal sealed record BadRow(string Place, string Version, string Key, string? Shown);

/// <summary>What a search brought.</summary>
/// <param name="Rows">How many rows are bad.</param>
/// <param name="Sample">Some of them, at most <see cref="RowSearch.MaxConfirmed"/>.</param>
/// <param name="Untrusted">Why the answer must not count, or null.</param>
internal sealed record RowsFound(long Rows, IReadOnlyList<BadRow> Sample, string? Untrusted = null)
{
    public static RowsFound None { get; } = new(0, []);

    /// <summary>Where all of them lie, under the first snapshot; null where they are too many.</summary>
    public IReadOnlyList<string>? Places { get; init; }

    /// <summary>The keys that go into a finding.</summary>
    public IReadOnlyList<string> Samples => [.. Sample.Take(RowSearch.MaxSamples).Select(row => row.Key)];
}
