using System.Globalization;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>
/// Searches the parent's pages and its key's index, as bytes, for the keys of orphans (pageinspect). What is found there and seen
/// by no query is a parent that was deleted and not yet vacuumed, or one that a damaged header, line pointer or page hides:
/// either can come back.
/// </summary>
internal static class DeadParents
{
    /// <summary>400 MB of heap or index: a few seconds. Beyond it the search is left to a person.</summary>
    private const long MostBlocks = 50_000;

    /// <summary>pageinspect's functions under the names they have here.</summary>
    private sealed record Inspect(
        string RawPage, string HeapItems, string Split, string BTreeItems, string BTreeStats, string Block);

    /// <returns>What was found, or null; and whether the pages were searched at all.</returns>
    public static async ValueTask<(string? Suspect, bool Searched)> Look(
        ForeignKey key, IReadOnlyList<BadRow> sample, Patient patient, CancellationToken cancellationToken)
    {
        if (Find(patient.Can) is not { } inspect || key.Period || key.ParentHeaps.Sum(heap => heap.Pages) > MostBlocks)
            return (null, false);
        return await patient.Session.InTransaction("SET LOCAL statement_timeout = 30000", async session =>
        {
            var wanted = await Wanted(key, sample, inspect, session, cancellationToken);
            foreach (var heap in key.ParentHeaps)
                if (await InHeap(key, heap, wanted, inspect, session, cancellationToken) is { } dead)
                    return (dead, true);
            return (await InIndex(key, wanted, inspect, patient, session, cancellationToken), true);
        }, cancellationToken);
    }

    private static Inspect? Find(Capabilities can)
    {
        string? Of(string signature) => can.Function("pageinspect", signature);
        var wide = Of("get_raw_page(text,bigint)") is not null;
        var block = wide ? "bigint" : "integer";
        return can.Superuser && Of($"get_raw_page(text,{block})") is { } raw && Of("heap_page_items(bytea)") is { } heap
            && Of("tuple_data_split(oid,bytea,integer,integer,text)") is { } split
                && Of($"bt_page_items(text,{block})") is { } items
            && Of($"bt_page_stats(text,{block})") is { } stats
                ? new Inspect(raw, heap, split, items, stats, wide ? "pg_catalog.int8" : "pg_catalog.int4")
                : null;
    }

    /// <summary>The referring keys as they lie on the child's pages: of equal types the parent's lie there alike.</summary>
    private static async ValueTask<string[]> Wanted(
        ForeignKey key, IReadOnlyList<BadRow> sample, Inspect inspect, IReadSession session, CancellationToken cancellationToken)
    {
        var bytes = await Bytes(key.Child, key.Columns, inspect, session, cancellationToken);
        var sql = $"SELECT {bytes} FROM {inspect.HeapItems}({inspect.RawPage}($1, $2::{inspect.Block})) i WHERE i.lp = $3 AND "
            + "i.t_data IS NOT NULL";
        var wanted = new HashSet<string>();
        foreach (var place in sample.Select(row => row.Place.Trim('(', ')').Split(',')))
            wanted.UnionWith(await session.Rows(sql, row => row.GetString(0), cancellationToken, Quote.Name(key.Child),
                long.Parse(place[0], CultureInfo.InvariantCulture), int.Parse(place[1], CultureInfo.InvariantCulture)));
        return [.. wanted.Where(text => text.Length > 0)];
    }

    private static async ValueTask<string?> InHeap(
        ForeignKey key, Relation heap, string[] wanted, Inspect inspect, IReadSession session,
            CancellationToken cancellationToken)
    {
        var bytes = await Bytes(heap, key.ParentColumns, inspect, session, cancellationToken);
        var sql = $"""
            SELECT pg_catalog.count(*), pg_catalog.min(pg_catalog.format('(%s,%s)', b, i.lp))
              FROM pg_catalog.generate_series(0, {Blocks("$1")} - 1) b,
              LATERAL {inspect.HeapItems}({inspect.RawPage}($1, b::{inspect.Block})) i
            WHERE i.t_data IS NOT NULL AND {bytes} = ANY ($2)
            """;
        var found = (
            await session.Rows(
            sql, row => (Rows: row.GetInt64(0), Place: row.IsDBNull(1) ? "" : row.GetString(1)), cancellationToken,
            Quote.Name(heap), wanted))[0];
        return found.Rows == 0
            ? null
            : $"{heap.Schema}.{heap.Name} still holds {found.Rows} row versions with keys of the sample rows that no query "
                + $"sees, one at {found.Place}: "
                + "the parents were deleted and not yet vacuumed, or damage hides them; they can be brought back";
    }

    /// <summary>
    /// An entry for a key that the heap does not show: a line pointer, a page or the end of the file may be lost.
    /// </summary>
    private static async ValueTask<string?> InIndex(
        ForeignKey key, string[] wanted, Inspect inspect, Patient patient, IReadSession session,
            CancellationToken cancellationToken)
    {
        if (key.Columns.Count != 1 || key.Parent.Kind != 'r' || key.ParentIndex is not { AccessMethod: "btree" } index
            || index.Pages > MostBlocks)
            return null;
        // A pivot, which the first item of every leaf but the last is, outlives its row and says nothing.
        var sql = $"""
            SELECT pg_catalog.count(*), pg_catalog.min(i.ctid::pg_catalog.text)
              FROM pg_catalog.generate_series(1, {Blocks("$1")} - 1) b,
              LATERAL {inspect.BTreeStats}($1, b::{inspect.Block}) s, LATERAL {inspect.BTreeItems}($1, b::{inspect.Block}) i
            WHERE s.type = 'l' AND (i.itemoffset > 1 OR s.btpo_next = 0)
              AND EXISTS (SELECT FROM pg_catalog.unnest($2) w(key) WHERE pg_catalog.starts_with(pg_catalog.replace(i.data, ' ',
                ''), w.key))
            """;
        var found = (
            await session.Rows(
            sql, row => (Rows: row.GetInt64(0), Place: row.IsDBNull(1) ? "" : row.GetString(1)), cancellationToken,
            Quote.Name(index), wanted))[0];
        return found.Rows == 0
            ? null
            : $"index {index.Schema}.{index.Name} still has {found.Rows} entries for keys of the sample rows, one for the row "
                + $"at {found.Place}, "
                + "where the table shows none: the parents may be lost or hidden by damage";
    }

    private static string Blocks(string relation) =>
        $"pg_catalog.pg_relation_size({relation}::pg_catalog.text::pg_catalog.regclass, 'main') / 8192";

    /// <summary>SQL: the columns' bytes of tuple i, in hexadecimal, parted by points.</summary>
    private static async ValueTask<string> Bytes(
        Relation table, IReadOnlyList<string> columns, Inspect inspect, IReadSession session, CancellationToken cancellationToken)
    {
        var numbers = (await session.Rows(
            "SELECT attname::pg_catalog.text, attnum FROM pg_catalog.pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT "
                + "attisdropped",
            row => (row.GetString(0), row.GetInt16(1)), cancellationToken, table.Oid)).ToDictionary();
        var split = $"{inspect.Split}({table.Oid}, i.t_data, i.t_infomask, i.t_infomask2, i.t_bits)";
        return $"pg_catalog.concat_ws('.', "
            + $"{string.Join(", ", columns.Select(name => $"pg_catalog.encode(({split})[{numbers[name]}], 'hex')"))})";
    }
}
