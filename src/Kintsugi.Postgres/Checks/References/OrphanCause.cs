using System.Globalization;
using System.Text.Json;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>What the rows and the catalog tell of how orphans came to be: words for a person, on which no repair acts.</summary>
internal static class OrphanCause
{
    private const string Subscribed =
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_subscription_rel s WHERE s.srrelid = ANY ($1))";

    /// <summary>The sequence that fills a column: serial or identity (pg_depend, manual 52.18).</summary>
    private const string Sequence = """
        SELECT d.objid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid AND q.seqincrement > 0 AND NOT q.seqcycle
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid AND d.refobjid = $1
          AND a.attname::pg_catalog.text = $2 AND d.deptype IN ('a', 'i')
        """;

    /// <returns>Null where nothing speaks for one cause more than for another.</returns>
    public static async ValueTask<string?> Of(
        ForeignKey key, RowsFound found, string? suspect, Patient patient, CancellationToken cancellationToken)
    {
        var words = new List<string>();
        if (suspect is not null)
            words.Add("the parents were deleted past the constraint, or damage hides them: they are still there");
        else if (!key.Declared)
            words.Add("the schema does not declare this reference, so nothing keeps either side from changing alone");
        else if (!key.Enforced || !key.Validated)
            words.Add(key.Enforced ? "the rows are older than the constraint, which was added NOT VALID" : "the constraint is NOT ENFORCED");
        else if (key.Triggers != "enabled")
            words.Add($"rows were written, or parents deleted, while its triggers are {key.Triggers}");
        try
        {
            if (await IsSubscribed(key, patient, cancellationToken))
                words.Add("a subscription writes to these tables, and its workers do not ask foreign keys");
            if (await Given(key, found, patient, cancellationToken) is { } given)
                words.Add(given);
            if (Said.Writers(found) is { } writer)
                words.Add(writer + await When(found, patient, cancellationToken));
        }
        catch (PatientException problem) when (!problem.ConnectionLost && !cancellationToken.IsCancellationRequested)
        {
            // A catalog or sequence that this role may not read: the finding stands without this part of its story.
            return words.Count == 0 ? null : string.Join("; ", words);
        }
        return words.Count == 0 ? null : string.Join("; ", words);
    }

    private static async ValueTask<bool> IsSubscribed(ForeignKey key, Patient patient, CancellationToken cancellationToken) =>
        (await patient.Session.Rows(Subscribed, row => row.GetBoolean(0), cancellationToken,
            (object)key.ParentHeaps.Append(key.Child).Select(heap => heap.Oid).ToArray()))[0];

    /// <summary>A number that the parent's sequence has given was a row's key once; one beyond it never was.</summary>
    private static async ValueTask<string?> Given(ForeignKey key, RowsFound found, Patient patient, CancellationToken cancellationToken)
    {
        if (key.ParentColumns.Count != 1 || await patient.Session.Rows(Sequence, row => row.GetFieldValue<uint>(0), cancellationToken,
            key.Parent.Oid, key.ParentColumns[0]) is not [var oid] || patient.Relations.Find(oid) is not { } sequence)
            return null;
        var (last, called) = (await patient.Session.Rows($"SELECT last_value, is_called FROM {Quote.Name(sequence)}",
            row => (row.GetInt64(0), row.GetBoolean(1)), cancellationToken))[0];
        var keys = found.Sample.Take(RowSearch.MaxSamples).Select(row => Number(row.Shown, key.Columns[0])).OfType<long>().ToList();
        var before = keys.Count(number => number < last || (called && number == last));
        return keys.Count == 0 ? null
            : before == keys.Count ? $"{sequence.Schema}.{sequence.Name} has given the keys that they look for: the parents were there once and were deleted"
            : before == 0 ? $"{sequence.Schema}.{sequence.Name} has never given the keys that they look for: the parents never were here, and the rows were "
                + "written while nobody asked the constraint"
            : null;
    }

    private static long? Number(string? shown, string column)
    {
        if (shown is null)
            return null;
        using var json = JsonDocument.Parse(shown);
        return json.RootElement.TryGetProperty(column, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
            ? number : null;
    }

    private static async ValueTask<string> When(RowsFound found, Patient patient, CancellationToken cancellationToken) =>
        (await patient.Session.Rows("SELECT pg_catalog.current_setting('track_commit_timestamp')", row => row.GetString(0), cancellationToken))[0] == "on"
        && (await patient.Session.Rows("SELECT pg_catalog.pg_xact_commit_timestamp($1::pg_catalog.text::pg_catalog.xid)",
            row => row.IsDBNull(0) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(0), cancellationToken, found.Sample[0].Version))[0] is { } at
            ? $" at {at.ToUniversalTime().ToString("u", CultureInfo.InvariantCulture)}" : "";
}
