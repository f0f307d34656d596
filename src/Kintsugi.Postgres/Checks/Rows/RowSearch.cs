using System.Data.Common;
using System.Text;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>
/// Finds bad rows on the heap alone, and looks at each once more under a later MVCC snapshot before it counts: what
/// another session was just about to put right is no damage. A sound table costs one pass; memory does not grow with the number
/// of bad rows.
/// </summary>
internal static class RowSearch
{
    /// <summary>Keys in one finding.</summary>
    public const int MaxSamples = 100;

    /// <summary>So many rows are looked at a second time one by one; beyond it the rest are counted under one snapshot.</summary>
    public const int MaxConfirmed = 10_000;

    /// <summary>So many places are kept for the plan that may be made next: some ten megabytes at most.</summary>
    private const int MaxPlaces = 100_000;

    /// <summary>So many places the server keeps while it counts them, some tens of megabytes; where there are more, counting is a second pass.</summary>
    private const int MaxSpooled = 1_000_000;

    public static async ValueTask<RowsFound> Find(RowQuestion question, Patient patient, CancellationToken cancellationToken)
    {
        if (await Again(question, patient, cancellationToken) is { } still)
            return still;
        var total = new RowsFound(0, []);
        List<string>? places = [];
        foreach (var slice in await Slices.Of(question.Table, question.Beside, patient, cancellationToken))
        {
            await patient.Pace.Spend(slice.Bytes, cancellationToken);
            var found = await FindIn(
                question with { Violation = $"({question.Violation}){slice.Condition}" }, null, patient.Session, cancellationToken);
            if (found.Untrusted is not null)
                return found;
            places = found.Rows > 0 && (found.Places is not { } more || places?.Count + more.Count > MaxPlaces) ? null : places;
            places?.AddRange(found.Places ?? []);
            if (found.Rows > 0)
                total = new RowsFound(total.Rows + found.Rows, [.. total.Sample.Concat(found.Sample).Take(MaxConfirmed)]);
        }
        Remember(question, places, patient);
        return total;
    }

    /// <summary>
    /// Where somebody looks again, it is first asked whether what was seen is so still: that needs no pass over the table. Null where nothing of it is
    /// left, which does not yet acquit.
    /// </summary>
    private static async ValueTask<RowsFound?> Again(RowQuestion question, Patient patient, CancellationToken cancellationToken)
    {
        if (!patient.LooksAgain || patient.Inventory?.RowsBefore.GetValueOrDefault((question.Table.Oid, question.Violation)) is not { } before)
            return null;
        await patient.Pace.Spend((Math.Min(before.Count, question.Table.Pages) + question.Beside) * Slices.BlockSize, cancellationToken);
        var found = await FindIn(question, before, patient.Session, cancellationToken);
        Remember(question, found.Places, patient);
        return found.Rows > 0 || found.Untrusted is not null ? found : null;
    }

    private static void Remember(RowQuestion question, IReadOnlyList<string>? places, Patient patient)
    {
        if (places is { Count: > 0 } && patient.Inventory is { } inventory)
            inventory.RowsSeen[(question.Table.Oid, question.Violation)] = places;
    }

    /// <param name="among">Only these places are looked at; null for the whole table.</param>
    private static async ValueTask<RowsFound> FindIn(
        RowQuestion question, IReadOnlyList<string>? among, IReadSession session, CancellationToken cancellationToken)
    {
        var first = await session.InTransaction(Evidence.Settings(question.Role) + (among is null ? "" : Evidence.ByPlace),
            inside => FirstLook(question, among, inside, cancellationToken), cancellationToken);
        if (first.Untrusted is not null || first.Rows == 0)
            return first;
        var confirmed = await session.InTransaction(Evidence.Settings(question.Role) + Evidence.ByPlace,
            inside => SecondLook(question, first.Sample, inside, cancellationToken), cancellationToken);
        // Beyond what was looked at twice, the first snapshot's count stands.
        return confirmed.Count == 0
            ? RowsFound.None
            : first with { Rows = first.Rows - first.Sample.Count + confirmed.Count, Sample = confirmed };
    }

    /// <summary>Places and count in one pass over the table: two passes would make a table with bad rows twice as dear as a sound one.</summary>
    private static async ValueTask<RowsFound> FirstLook(
        RowQuestion question, IReadOnlyList<string>? among, IReadSession session, CancellationToken cancellationToken)
    {
        object?[] parameters = among is null ? [] : [among.ToArray()];
        var there = among is null ? "" : $" AND {question.Row}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[])";
        var bad = $"FROM {question.From} WHERE ({question.Violation}){there}";
        var places = $"""
            SELECT s.place::pg_catalog.text, s.version::pg_catalog.text, pg_catalog.count(*) OVER ()
            FROM (SELECT {question.Row}.ctid AS place, {question.Row}.xmin AS version {bad} LIMIT {MaxSpooled}) s LIMIT {MaxPlaces}
            """;
        if (await Evidence.Distrust(session, places, cancellationToken, parameters) is { } why)
            return new RowsFound(0, [], why);
        var (sample, total) = (new List<BadRow>(), 0L);
        var rows = await session.Rows(places, row => Place(row, sample, ref total), cancellationToken, parameters);
        if (rows.Count == 0)
            return RowsFound.None;
        if (question.Raw)
            await session.Rows(RowQuestion.AsBefore, _ => 0, cancellationToken);
        var count = total < MaxSpooled
            ? total
            : (await session.Rows($"SELECT pg_catalog.count(*) {bad}", row => row.GetInt64(0), cancellationToken, parameters))[0];
        return new RowsFound(count, sample) { Places = count <= rows.Count ? rows : null };
    }

    /// <summary>Of the rows beyond those that are looked at again the place alone is kept.</summary>
    private static string Place(DbDataReader row, List<BadRow> sample, ref long total)
    {
        var place = row.GetString(0);
        if (sample.Count < MaxConfirmed)
            sample.Add(new BadRow(place, row.GetString(1), "", null));
        if (total == 0)
            total = row.GetInt64(2);
        return place;
    }

    private static async ValueTask<IReadOnlyList<BadRow>> SecondLook(
        RowQuestion question, IReadOnlyList<BadRow> suspects, IReadSession session, CancellationToken cancellationToken)
    {
        var versions = suspects.Select(row => (row.Place, row.Version)).ToHashSet();
        var sql = $"SELECT {question.Row}.ctid::pg_catalog.text, {question.Row}.xmin::pg_catalog.text, {question.KeyAsJson}, "
            + $"{question.Shown ?? "NULL::pg_catalog.text"} FROM {question.From} WHERE ({question.Violation}) "
            + $"AND {question.Row}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[])";
        var again = await session.Rows(sql, row => Read(row, question.Raw), cancellationToken, (object)suspects.Select(row => row.Place).ToArray());
        return [.. again.Where(row => versions.Contains((row.Place, row.Version)))];
    }

    private static BadRow Read(DbDataReader row, bool raw) => new(row.GetString(0), row.GetString(1),
        raw ? Encoding.UTF8.GetString(Convert.FromHexString(row.GetString(2))) : row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3));
}
