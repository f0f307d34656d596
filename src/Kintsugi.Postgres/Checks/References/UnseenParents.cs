using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Repairs.Rows.Parents;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>
/// The search of the parent's pages where equal keys need not have equal bytes (citext, a collation that is not deterministic): versions that may be
/// dead or hidden are read as text, and the server compares them with the children by the constraint's own operators.
/// </summary>
internal static class UnseenParents
{
    /// <summary>They travel to the server in one statement.</summary>
    private const int Most = 5_000;

    public static async ValueTask<(string? Suspect, bool Searched)> Look(
        ForeignKey key, IReadOnlyList<string> places, PageSearch pages, IReadSession session, CancellationToken cancellationToken)
    {
        var whole = true;
        foreach (var heap in key.ParentHeaps)
        {
            var (rows, all) = await Candidates(key, heap, pages, session, cancellationToken);
            whole &= all;
            if (rows.Count > 0 && await Matching(key, rows, places, session, cancellationToken) is { Count: > 0 } found)
                return (DeadParents.Suspect(heap, found.Count, rows[found[0]].Tid), true);
        }
        return (null, whole);
    }

    private static async ValueTask<(List<(Tid Tid, ParentRow Row)> Rows, bool All)> Candidates(
        ForeignKey key, Relation heap, PageSearch pages, IReadSession session, CancellationToken cancellationToken)
    {
        var tuples = new List<(Tid Tid, byte[] Tuple)>();
        await pages.Tuples(heap, (tuple, tid) =>
        {
            var head = HeapTupleHeader.Read(tuple);
            if ((!head.XmaxInvalid || head.XminInvalid || !head.XminCommitted) && tuples.Count <= Most)
                tuples.Add((tid, tuple.ToArray()));
        }, cancellationToken);
        var stored = await StoredRow.Of(heap, session, cancellationToken);
        var rows = new List<(Tid, ParentRow)>();
        foreach (var (tid, tuple) in tuples)
            if (stored.ReadInRow(tuple, key.ParentColumns) is { } values)
                rows.Add((tid, new ParentRow(heap, key.ParentColumns, values, tid.ToString())));
        return (rows, rows.Count == tuples.Count && tuples.Count <= Most);
    }

    private static async ValueTask<IReadOnlyList<int>> Matching(
        ForeignKey key, List<(Tid Tid, ParentRow Row)> rows, IReadOnlyList<string> places, IReadSession session, CancellationToken cancellationToken)
    {
        var shape = await TableShape.Read(TableName.Of(rows[0].Row.Table), session, cancellationToken);
        var child = Quote.Identifier(key.Child.Name);
        var sql = $"SELECT DISTINCT {Quote.Identifier(key.ParentAlias)}.{RowSource.Number} FROM ONLY {Quote.Name(key.Child)}, "
            + $"{RowSource.Parents(key, [.. rows.Select(row => row.Row)], shape)} WHERE {child}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[]) "
            + $"AND {string.Join(" AND ", key.Comparisons)} ORDER BY 1";
        return await session.InTransaction(Evidence.Settings(null),
            inside => inside.Rows(sql, row => row.GetInt32(0), cancellationToken, (object)places.ToArray()), cancellationToken);
    }
}
