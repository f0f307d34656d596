using System.Data.Common;
using System.Globalization;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>
/// Finds bad rows on the heap alone, and looks at each once more under a later MVCC snapshot before it counts (RULES.md 11): what
/// another session was just about to put right is no damage. A sound table costs one pass; memory does not grow with the number
/// of bad rows.
/// </summary>
internal static class RowSearch
{
    /// <summary>Keys in one finding (CONTRACT.md).</summary>
    public const int MaxSamples = 100;

    /// <summary>So many rows are looked at a second time one by one; beyond it the rest are counted under one snapshot.</summary>
    public const int MaxConfirmed = 10_000;

    /// <summary>So many places the server keeps while it counts them, some tens of megabytes; where there are more, counting is a second pass.</summary>
    private const int MaxSpooled = 1_000_000;

    /// <summary>16 GiB of heap in one statement: its snapshot must end within 15 minutes.</summary>
    private const long SliceBlocks = 2_097_152;

    public static async ValueTask<RowsFound> Find(RowQuestion question, Patient patient, CancellationToken cancellationToken)
    {
        var total = new RowsFound(0, []);
        var slices = await Slices(question, patient, cancellationToken);
        foreach (var slice in slices)
        {
            await patient.Pace.Spend(question.Table.Pages / slices.Count * 8192, cancellationToken);
            var found = await FindIn(
                question with { Violation = $"({question.Violation}){slice}" }, patient.Session, cancellationToken);
            if (found.Untrusted is not null)
                return found;
            if (found.Rows > 0)
                total = new RowsFound(total.Rows + found.Rows, [.. total.Sample.Concat(found.Sample).Take(MaxConfirmed)]);
        }
        return total;
    }

    private static async ValueTask<RowsFound> FindIn(
        RowQuestion question, IReadSession session, CancellationToken cancellationToken)
    {
        var first = await session.InTransaction(Evidence.Settings(question.Role),
            inside => FirstLook(question, inside, cancellationToken), cancellationToken);
        if (first.Untrusted is not null || first.Rows == 0)
            return first;
        // Places are fetched in their order, which is nearly as cheap as reading on; priced as random reads they made the planner read the whole table again.
        var confirmed = await session.InTransaction(Evidence.Settings(question.Role) + "; SET LOCAL random_page_cost = 0.1",
            inside => SecondLook(question, first.Sample, inside, cancellationToken), cancellationToken);
        // Beyond what was looked at twice, the first snapshot's count stands.
        return confirmed.Count == 0
            ? RowsFound.None
            : new RowsFound(first.Rows - first.Sample.Count + confirmed.Count, confirmed);
    }

    /// <summary>Places and count in one pass over the table: two passes would make a table with bad rows twice as dear as a sound one.</summary>
    private static async ValueTask<RowsFound> FirstLook(
        RowQuestion question, IReadSession session, CancellationToken cancellationToken)
    {
        var bad = $"FROM {question.From} WHERE ({question.Violation})";
        var places = $"""
            SELECT s.place::pg_catalog.text, s.version::pg_catalog.text, pg_catalog.count(*) OVER ()
            FROM (SELECT {question.Row}.ctid AS place, {question.Row}.xmin AS version {bad} LIMIT {MaxSpooled}) s LIMIT {MaxConfirmed}
            """;
        if (await Evidence.Distrust(session, places, cancellationToken) is { } why)
            return new RowsFound(0, [], why);
        var rows = await session.Rows(places, row => (Bad: new BadRow(row.GetString(0), row.GetString(1), "", null), Count: row.GetInt64(2)), cancellationToken);
        if (rows.Count == 0)
            return RowsFound.None;
        var count = rows[0].Count < MaxSpooled
            ? rows[0].Count
            : (await session.Rows($"SELECT pg_catalog.count(*) {bad}", row => row.GetInt64(0), cancellationToken))[0];
        return new RowsFound(count, [.. rows.Select(row => row.Bad)]);
    }

    private static async ValueTask<IReadOnlyList<BadRow>> SecondLook(
        RowQuestion question, IReadOnlyList<BadRow> suspects, IReadSession session, CancellationToken cancellationToken)
    {
        var versions = suspects.Select(row => (row.Place, row.Version)).ToHashSet();
        var sql = $"SELECT {question.Row}.ctid::pg_catalog.text, {question.Row}.xmin::pg_catalog.text, {question.KeyAsJson}, "
            + $"{question.Shown ?? "NULL::pg_catalog.text"} FROM {question.From} WHERE ({question.Violation}) "
            + $"AND {question.Row}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[])";
        var again = await session.Rows(sql, Read, cancellationToken, (object)suspects.Select(row => row.Place).ToArray());
        return [.. again.Where(row => versions.Contains((row.Place, row.Version)))];
    }

    private static BadRow Read(DbDataReader row) =>
        new(row.GetString(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3));

    /// <summary>
    /// Conditions that cut the table into ranges of blocks. Before 14 each would read all of it (TID range scans).
    /// </summary>
    private static async ValueTask<IReadOnlyList<string>> Slices(
        RowQuestion question, Patient patient, CancellationToken cancellationToken)
    {
        var blocks = patient.Can.Major < 14 ? 0 : (await patient.Session.Rows(
            "SELECT coalesce(pg_catalog.pg_relation_size($1::pg_catalog.regclass, 'main'), 0) / 8192", row =>
                row.GetInt64(0), cancellationToken,
            question.Table.Oid))[0];
        if (blocks <= SliceBlocks)
            return [""];
        var slices = new List<string>();
        for (var first = 0L; first < blocks; first += SliceBlocks)
        {
            var end = first + SliceBlocks < blocks ? $" AND {question.Row}.ctid < {Tid(first + SliceBlocks)}" : "";
            slices.Add($" AND {question.Row}.ctid >= {Tid(first)}{end}");
        }
        return slices;
    }

    private static string Tid(long block) => $"'({block.ToString(CultureInfo.InvariantCulture)},0)'::pg_catalog.tid";
}
