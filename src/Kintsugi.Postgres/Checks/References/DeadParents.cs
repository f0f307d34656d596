using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>
/// Searches the parent's pages and its key's index, as bytes, for the keys of orphans. What is found there and seen by no query is a parent that
/// was deleted and not yet vacuumed, or one that a damaged header, line pointer or page hides: either can come back.
/// </summary>
internal sealed class DeadParents(ForeignKey key, IPageView view, IReadSession session)
{
    /// <summary>400 MB of heap or index: a few seconds. Beyond it the search is left to a person.</summary>
    private const int MostBlocks = 50_000;
    /// <summary>4 MB: each reading through the server is a statement of its own.</summary>
    private const int PagesPerRead = 512;

    /// <returns>What was found, or null; and whether the pages were searched at all.</returns>
    public static async ValueTask<(string? Suspect, bool Searched)> Look(
        ForeignKey key, IReadOnlyList<BadRow> sample, Patient patient, CancellationToken cancellationToken)
    {
        if (key.Period || key.ParentHeaps.Sum(heap => heap.Pages) > MostBlocks)
            return (null, false);
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        // The buffers first: what was written, deleted or vacuumed a moment ago is not on disk yet.
        IPageView? buffers = BufferView.Of(patient);
        if ((buffers ?? (bytes is null ? null : new FileView(bytes, patient, TimeProvider.System))) is not { } view)
            return (null, false);
        try
        {
            return await new DeadParents(key, view, patient.Session).Search(sample, cancellationToken);
        }
        catch (IOException)
        {
            // Unreadable files are told of by the checks of storage; here they mean that the search was not made.
            return (null, false);
        }
    }

    private async ValueTask<(string? Suspect, bool Searched)> Search(IReadOnlyList<BadRow> sample, CancellationToken cancellationToken)
    {
        var wanted = await Wanted(sample, cancellationToken);
        if (wanted.Count == 0)
            return (null, false);
        foreach (var heap in key.ParentHeaps)
            if (await InHeap(heap, wanted, cancellationToken) is { } dead)
                return (dead, true);
        return (await InIndex(wanted, cancellationToken), true);
    }

    /// <summary>The referring keys as they lie on the child's pages.</summary>
    private async ValueTask<HashSet<string>> Wanted(IReadOnlyList<BadRow> sample, CancellationToken cancellationToken)
    {
        var wanted = new HashSet<string>();
        if (await RawKeys.OfTable(key.Child, key.Columns, session, cancellationToken) is not { } columns
            || await Locate(key.Child, cancellationToken) is not { } child)
            return wanted;
        var page = new byte[PageFormat.Size];
        foreach (var place in sample.Select(row => row.Place.Trim('(', ')').Split(',')))
            if (await view.Read(child, long.Parse(place[0], CultureInfo.InvariantCulture), page, cancellationToken) == 1
                && columns.OfTuple(Tuple(page, int.Parse(place[1], CultureInfo.InvariantCulture))) is { } own)
                wanted.Add(own);
        return wanted;
    }

    private async ValueTask<string?> InHeap(Relation heap, HashSet<string> wanted, CancellationToken cancellationToken)
    {
        if (await RawKeys.OfTable(heap, key.ParentColumns, session, cancellationToken) is not { } columns
            || await Locate(heap, cancellationToken) is not { } place)
            return null;
        var found = new List<Tid>();
        await Pages(place, (page, block) =>
        {
            var count = PageHeader.Read(page) is { IsNew: false, IsPossible: true } header ? Math.Min(header.ItemCount, PageFormat.MaxHeapItems) : 0;
            for (var item = 1; item <= count; item++)
                if (columns.OfTuple(Tuple(page, item)) is { } own && wanted.Contains(own))
                    found.Add(new Tid((uint)block, item));
        }, cancellationToken);
        return found.Count == 0
            ? null
            : $"{heap.Schema}.{heap.Name} still holds {found.Count} row versions with keys of the sample rows that no query sees, one at {found[0]}: "
                + "the parents were deleted and not yet vacuumed, or damage hides them; they can be brought back";
    }

    /// <summary>An entry for a key that the heap does not show: a line pointer, a page or the end of the file may be lost.</summary>
    private async ValueTask<string?> InIndex(HashSet<string> wanted, CancellationToken cancellationToken)
    {
        if (key.Parent.Kind != 'r' || key.ParentIndex is not { AccessMethod: "btree" } index || index.Pages > MostBlocks
            || await RawKeys.OfIndex(index, key.Parent, key.ParentColumns, session, cancellationToken) is not { } columns
            || await Locate(index, cancellationToken) is not { } place)
            return null;
        var found = new List<Tid>();
        var content = new IndexPageContent();
        await Pages(place, (page, block) =>
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

    private static ReadOnlySpan<byte> Tuple(ReadOnlySpan<byte> page, int item) =>
        LinePointer.Read(page, item) is { State: LinePointerState.Normal } line && HeapPageInspector.IsReadable(page, line)
            ? page.Slice(line.Offset, line.Length) : default;

    private delegate void Visit(ReadOnlySpan<byte> page, long block);

    private async ValueTask Pages(Located relation, Visit visit, CancellationToken cancellationToken)
    {
        var buffer = new byte[PagesPerRead * PageFormat.Size];
        for (var block = 0L; block < MostBlocks;)
        {
            var read = await view.Read(relation, block, buffer, cancellationToken);
            for (var i = 0; i < read; i++, block++)
                visit(buffer.AsSpan(i * PageFormat.Size, PageFormat.Size), block);
            if (read < PagesPerRead)
                return;
        }
    }

    private async ValueTask<Located?> Locate(Relation relation, CancellationToken cancellationToken) =>
        await session.Rows("SELECT pg_catalog.pg_relation_filepath($1::pg_catalog.regclass)", row => row.IsDBNull(0) ? null : row.GetString(0),
            cancellationToken, relation.Oid) is [{ } path] ? new Located(relation, path) : null;
}
