using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>
/// Searches the parent's pages and its key's index, as bytes, for the keys of orphans. What is found there and seen by no query is a parent that
/// was deleted and not yet vacuumed, or one that a damaged header, line pointer or page hides: either can come back.
/// </summary>
internal sealed class DeadParents(ForeignKey key, PageSearch pages, IReadSession session)
{
    /// <param name="places">Orphans of the sample, by ctid.</param>
    /// <returns>What was found, or null; and whether the pages were searched at all.</returns>
    public static async ValueTask<(string? Suspect, bool Searched)> Look(
        ForeignKey key, IReadOnlyList<string> places, Patient patient, CancellationToken cancellationToken)
    {
        if (key.Period || key.ParentHeaps.Sum(heap => heap.Pages) > PageSearch.MostBlocks)
            return (null, false);
        using var pages = await PageSearch.Of(patient, cancellationToken);
        if (pages is null)
            return (null, false);
        try
        {
            return await new DeadParents(key, pages, patient.Session).Search(places, cancellationToken);
        }
        catch (IOException)
        {
            // Unreadable files are told of by the checks of storage; here they mean that the search was not made.
            return (null, false);
        }
    }

    private async ValueTask<(string? Suspect, bool Searched)> Search(IReadOnlyList<string> places, CancellationToken cancellationToken)
    {
        if (await Wanted(places, cancellationToken) is not { } wanted)
            return await UnseenParents.Look(key, places, pages, session, cancellationToken);
        if (wanted.Count == 0)
            return (null, false);
        foreach (var heap in key.ParentHeaps)
            if (await Versions(heap, wanted, cancellationToken) is { Count: > 0 } found)
                return (Suspect(heap, found.Count, found[0].Tid), true);
        return (await InIndex(wanted, cancellationToken), true);
    }

    public static string Suspect(Relation heap, int versions, Tid one) =>
        $"{heap.Schema}.{heap.Name} still holds {versions} row versions with keys of the sample rows that no query sees, one at "
        + $"{one}: the parents were deleted and not yet vacuumed, or damage hides them; they can be brought back";

    /// <summary>The referring keys as they lie on the child's pages.</summary>
    /// <returns>Null where only the server can tell whether two keys are equal.</returns>
    public async ValueTask<HashSet<string>?> Wanted(IReadOnlyList<string> places, CancellationToken cancellationToken)
    {
        var wanted = new HashSet<string>();
        if (await RawKeys.OfTable(key.Child, key.Columns, session, cancellationToken) is not { } columns)
            return wanted;
        foreach (var heap in key.ParentHeaps)
            if (await RawKeys.OfTable(heap, key.ParentColumns, session, cancellationToken) is { } parents && !columns.IsComparableWith(parents))
                return null;
        var items = places.Select(Tid.Parse).ToLookup(tid => (long)tid.Block, tid => tid.Item);
        await pages.Pages(key.Child, items.Select(block => block.Key), (page, block) =>
        {
            foreach (var item in items[block])
                if (columns.OfTuple(PageSearch.Tuple(page, item)) is { } own)
                    wanted.Add(own);
        }, cancellationToken);
        return wanted;
    }

    /// <summary>Row versions on the parent's pages whose key is one of these.</summary>
    public async ValueTask<List<(Tid Tid, byte[] Tuple)>> Versions(Relation heap, IReadOnlySet<string> wanted, CancellationToken cancellationToken)
    {
        var found = new List<(Tid, byte[])>();
        if (await RawKeys.OfTable(heap, key.ParentColumns, session, cancellationToken) is { } columns)
            await pages.Tuples(heap, (tuple, tid) =>
            {
                if (columns.OfTuple(tuple) is { } own && wanted.Contains(own))
                    found.Add((tid, tuple.ToArray()));
            }, cancellationToken);
        return found;
    }

    /// <summary>An entry for a key that the heap does not show: a line pointer, a page or the end of the file may be lost.</summary>
    private async ValueTask<string?> InIndex(HashSet<string> wanted, CancellationToken cancellationToken)
    {
        if (key.Parent.Kind != 'r' || key.ParentIndex is not { AccessMethod: "btree" } index || index.Pages > PageSearch.MostBlocks
            || await RawKeys.OfIndex(index, key.Parent, key.ParentColumns, session, cancellationToken) is not { } columns)
            return null;
        var found = new List<Tid>();
        var content = new IndexPageContent();
        await pages.Pages(index, (page, block) =>
        {
            if (IndexPages.Read(IndexKind.Btree, page, block, checksums: false, content) is not null || content.Role != IndexPageRole.Leaf)
                return;
            foreach (var entry in content.Rows)
                if (columns.OfEntry(Entry(page, entry.Item)) is { } own && wanted.Contains(own))
                    found.Add(entry.Tid);
        }, cancellationToken);
        return found.Count == 0
            ? null
            : $"index {index.Schema}.{index.Name} still has {found.Count} entries for keys of the sample rows, one for the row at {found[0]}, where the "
                + "table shows none: the parents are lost or hidden by damage, or were deleted and not yet vacuumed (if that was meant: VACUUM "
                + $"(INDEX_CLEANUP ON) {Sessions.Quote.Name(key.Parent)}, then look again)";
    }

    private static ReadOnlySpan<byte> Entry(ReadOnlySpan<byte> page, int item) =>
        LinePointer.Read(page, item) is { } line && line.IsReadable(page) ? page.Slice(line.Offset, line.Length) : default;
}
