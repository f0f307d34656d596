using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Checks.Keys;

/// <summary>One column's summary of one block range.</summary>
/// <param name="Value">As the operator class prints it; null where there is none.</param>
/// <param name="Placeholder">A summarisation is under way: searches take the range whole.</param>
/// <param name="Empty">No row was in the range (told since 16).</param>
internal sealed record BrinSummary(long Range, int Column, bool AllNulls, bool HasNulls, bool Placeholder, bool Empty, string? Value);

internal sealed record BrinContent(long PagesPerRange, IReadOnlyList<BrinSummary> Summaries);

/// <summary>The range map of a BRIN index and the summaries that it leads to. A range without one is searched whole: that is sound.</summary>
internal sealed class BrinRanges(BufferView view, Located index, string items, Patient patient)
{
    private readonly byte[] page = new byte[PageFormat.Size];

    /// <returns>The summaries, or what is wrong with the map.</returns>
    public async ValueTask<(BrinContent Content, string? Wrong)> Read(CancellationToken cancellationToken)
    {
        await view.Read(index, 0, page, cancellationToken);
        var perRange = BrinPage.PagesPerRange(page);
        var map = await Map(cancellationToken);
        var summaries = new List<BrinSummary>();
        string? wrong = null;
        foreach (var group in map.GroupBy(it => it.Value.Block))
        {
            var found = await PageItems(group.Key, perRange, cancellationToken);
            foreach (var (range, place) in group)
            {
                var own = found.Where(it => it.Item == place.Item).Select(it => it.Summary).ToList();
                if (own.Count > 0 && own[0].Range == range)
                    summaries.AddRange(own);
                // A summary that has just outgrown its page lies elsewhere by now.
                else if ((await Map(cancellationToken)).GetValueOrDefault(range) == place && (await PageItems(group.Key, perRange, cancellationToken))
                    .Find(it => it.Item == place.Item) is var again && again.Summary?.Range != range)
                    wrong ??= $"the range map leads for blocks {range * perRange} to {((range + 1) * perRange) - 1} to item {place.Item} of page "
                        + $"{place.Block}, " + (again.Summary is null ? "where no summary is" : $"which summarises block {again.Summary.Range * perRange}");
            }
        }
        return (new BrinContent(perRange, summaries), wrong);
    }

    private async ValueTask<Dictionary<long, Tid>> Map(CancellationToken cancellationToken)
    {
        await view.Read(index, 0, page, cancellationToken);
        // The map's pages follow the metapage, which names the last of them (BrinMetaPageData, brin_page.h).
        var last = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(PageFormat.HeaderSize + 12));
        var map = new Dictionary<long, Tid>();
        for (var block = 1L; block <= last && await view.Read(index, block, page, cancellationToken) > 0; block++)
            for (var entry = 0; entry < BrinPage.MapEntries; entry++)
                if (Tid.Read(page, PageFormat.HeaderSize + (entry * Tid.Size)) is { Item: not 0 } place)
                    map.Add(((block - 1) * BrinPage.MapEntries) + entry, place);
        return map;
    }

    private async ValueTask<List<(int Item, BrinSummary Summary)>> PageItems(uint block, long perRange, CancellationToken cancellationToken)
    {
        await view.Read(index, block, page, cancellationToken);
        var empty = patient.Can.Major >= 16 ? "coalesce(empty, false)" : "false";
        return [.. await patient.Session.Rows(
            $"SELECT itemoffset, blknum::pg_catalog.int8, attnum, allnulls, hasnulls, placeholder, {empty}, value "
            + $"FROM {items}($1::pg_catalog.bytea, $2::pg_catalog.regclass) WHERE blknum IS NOT NULL",
            row => (row.GetInt32(0), new BrinSummary(row.GetInt64(1) / perRange, row.GetInt32(2), row.GetBoolean(3), row.GetBoolean(4),
                row.GetBoolean(5), row.GetBoolean(6), row.IsDBNull(7) ? null : row.GetString(7))),
            cancellationToken, page.ToArray(), index.Relation.Oid)];
    }
}
