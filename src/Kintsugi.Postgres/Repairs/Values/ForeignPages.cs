using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>
/// Pages whose rows an index contradicts as a whole, with keys that no row of the table has: what a page of another block or table looks like that was
/// written there. Its checksum may be right, as it knows of a block's number only. An index that is older than its table contradicts rows everywhere.
/// </summary>
internal sealed class ForeignPages(Relation table, IndexTestimony index, RowRoots roots, IPageView view, Patient patient)
{
    /// <summary>So many entries are asked whether another row has their key.</summary>
    private const int Sample = 8;

    /// <returns>Why the index must not be rebuilt over them; null where nothing speaks against it.</returns>
    public async ValueTask<string?> Doubt(ContradictedRows rows, IReadOnlyList<string> places, CancellationToken cancellationToken)
    {
        // What an expression gives may have changed for all rows at once, and then no row has the keys that the index has.
        if (index.Index.Index!.HasExpressions)
            return null;
        var contradicted = places.Select(Tid.Parse).GroupBy(place => place.Block).ToDictionary(block => block.Key, block => block.ToList());
        var counts = await Counts([.. contradicted.Keys], cancellationToken);
        var foreign = contradicted.Where(block => block.Value.Count * 2 >= counts.GetValueOrDefault(block.Key)).ToList();
        if (foreign.Count == 0 || foreign.Sum(block => block.Value.Count) * 5 < places.Count * 4 || foreign.Count * 2 > Math.Max(2, table.Pages))
            return null;
        var asked = foreign.SelectMany(block => block.Value).Where((_, at) => at % Math.Max(1, places.Count / Sample) == 0).Take(Sample).ToList();
        var nowhere = new List<string>();
        foreach (var place in asked)
            if (await Entry(place, cancellationToken) is { } entry && !await rows.IsOfAnother(place.ToString(), entry, cancellationToken))
                nowhere.Add(StoredForm.ToText(index.Keys[0].Type, entry.First) ?? entry.Key);
        var blocks = string.Join(", ", foreign.Take(5).Select(block => block.Key.ToString(CultureInfo.InvariantCulture)));
        return nowhere.Count * 2 <= asked.Count ? null
            : $"{places.Count} rows of {table.Name}, nearly all of them on block {blocks}, have other keys than {index.Index.Name} has for them, and no row of the table has its keys "
            + $"({string.Join(", ", nowhere.Take(5))}): a page of another block or table may have been written there, and the index is then the last that knows which rows are lost, so "
            + "it is not rebuilt. Hold that block against a backup (kintsugi page shows it). If it is the index that is wrong: "
            + $"REINDEX INDEX CONCURRENTLY {Quote.Name(index.Index)}, after which its keys are gone";
    }

    private async ValueTask<HeardEntry?> Entry(Tid place, CancellationToken cancellationToken) =>
        await roots.Of(place, cancellationToken) is { } root && await index.Hear(new HashSet<Tid> { root }, view, patient, cancellationToken) is { } heard
            ? heard.GetValueOrDefault(root)?.FirstOrDefault() : null;

    /// <summary>How many rows the index is meant to have of each of those blocks.</summary>
    private async ValueTask<Dictionary<uint, int>> Counts(IReadOnlyList<uint> blocks, CancellationToken cancellationToken)
    {
        var row = Quote.Identifier(table.Name);
        var found = await patient.Session.InTransaction(Evidence.Settings(OwnerRights.Role(table, index.CallsOthers, patient)), session => session.Rows($"""
            SELECT b.block, pg_catalog.count(*)::pg_catalog.int4
            FROM (SELECT (pg_catalog.split_part(pg_catalog.ltrim({row}.ctid::pg_catalog.text, '('), ',', 1))::pg_catalog.int8 AS block FROM ONLY {Quote.Name(table)} WHERE {index.Meant}) b
            WHERE b.block = ANY ($1) GROUP BY b.block
            """, found => (Block: (uint)found.GetInt64(0), Rows: found.GetInt32(1)), cancellationToken, (object)blocks.Select(block => (long)block).ToArray()), cancellationToken);
        return found.ToDictionary(block => block.Block, block => block.Rows);
    }
}
