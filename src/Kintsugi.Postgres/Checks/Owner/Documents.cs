using System.Data.Common;
using Kintsugi.JsonSchema;
using Kintsugi.Postgres.Checks.Rows;

namespace Kintsugi.Postgres.Checks.Owner;

/// <summary>
/// Reads the documents that the server could not acquit and has the validator judge them, one at a time: nothing but the bad
/// rows' keys stays in memory. As everywhere, a bad row is read once more under a later snapshot before it counts.
/// </summary>
internal static class Documents
{
    private sealed record Document(BadRow Row, byte[]? Text);

    private sealed class Tally
    {
        public long Bad { get; set; }
        public List<BadRow> Rows { get; } = [];
        public string? Undecided { get; set; }
    }

    /// <returns>The bad rows, and why some document could not be judged, or null.</returns>
    public static async ValueTask<(RowsFound Found, string? Undecided)> Find(
        RowQuestion suspects, CompiledSchema schema, string value, bool nullsAllowed, Patient patient, CancellationToken cancellationToken)
    {
        var total = RowsFound.None;
        string? undecided = null;
        foreach (var slice in await Slices.Of(suspects.Table, suspects.Beside, patient, cancellationToken))
        {
            await patient.Pace.Spend(slice.Bytes, cancellationToken);
            var (found, why) = await FindIn(
                suspects with { Violation = $"({suspects.Violation}){slice.Condition}" }, schema, value, nullsAllowed, patient.Session, cancellationToken);
            if (found.Untrusted is not null)
                return (found, null);
            total = new RowsFound(total.Rows + found.Rows, [.. total.Sample.Concat(found.Sample).Take(RowSearch.MaxConfirmed)]);
            undecided ??= why;
        }
        return (total, undecided);
    }

    private static async ValueTask<(RowsFound Found, string? Undecided)> FindIn(
        RowQuestion suspects, CompiledSchema schema, string value, bool nullsAllowed, IReadSession session,
            CancellationToken cancellationToken)
    {
        var sql = $"SELECT {suspects.Row}.ctid::pg_catalog.text, {suspects.Row}.xmin::pg_catalog.text, {suspects.KeyAsJson}, "
            + $"pg_catalog.convert_to({value}::pg_catalog.text, 'UTF8') FROM {suspects.From} WHERE ({suspects.Violation})";
        var (first, why) = await session.InTransaction(Evidence.Settings(null), async inside =>
            await Evidence.Distrust(inside, sql, cancellationToken) is { } distrust
                ? (new Tally(), distrust)
                : (await Judge(inside, sql, schema, nullsAllowed, cancellationToken), (string?)null), cancellationToken);
        if (why is not null)
            return (new RowsFound(0, [], why), null);
        if (first.Bad == 0)
            return (RowsFound.None, first.Undecided);
        var places = first.Rows.Select(row => row.Place).ToArray();
        var second = await session.InTransaction(Evidence.Settings(null), inside => Judge(
            inside, $"{sql} AND {suspects.Row}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[])", schema, nullsAllowed,
                cancellationToken, (object)places),
            cancellationToken);
        var versions = first.Rows.Select(row => (row.Place, row.Version)).ToHashSet();
        var confirmed = second.Rows.Where(row => versions.Contains((row.Place, row.Version))).ToList();
        return (confirmed.Count == 0 ? RowsFound.None : new RowsFound(first.Bad - first.Rows.Count + confirmed.Count, confirmed),
            first.Undecided);
    }

    private static async ValueTask<Tally> Judge(
        IReadSession session, string sql, CompiledSchema schema, bool nullsAllowed, CancellationToken cancellationToken,
            params object?[] parameters)
    {
        var tally = new Tally();
        await foreach (var document in session.Stream(sql, Read, cancellationToken, parameters))
        {
            if (document.Text is null)
            {
                if (!nullsAllowed)
                    Count(tally, document.Row with { Shown = "NULL" });
                continue;
            }
            var judged = schema.Validate(document.Text, 1);
            if (judged.Conformance == Conformance.Violates)
                Count(tally,
                    document.Row with { Shown = $"{judged.Violations[0].InstancePointer}: {judged.Violations[0].Message}" });
            else if (judged.Conformance == Conformance.Undecided)
                tally.Undecided ??= $"the document of {document.Row.Key} could not be judged: {judged.Reason}";
        }
        return tally;
    }

    private static void Count(Tally tally, BadRow row)
    {
        tally.Bad++;
        if (tally.Rows.Count < RowSearch.MaxConfirmed)
            tally.Rows.Add(row);
    }

    private static Document Read(DbDataReader row) =>
        new(new BadRow(row.GetString(0), row.GetString(1), row.GetString(2), null),
            row.IsDBNull(3) ? null : row.GetFieldValue<byte[]>(3));
}
