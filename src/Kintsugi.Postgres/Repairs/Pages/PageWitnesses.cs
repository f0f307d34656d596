using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;
using Kintsugi.Pages.Mending;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>What other files know of a damaged page: its bits in the visibility map, and which of its line pointers an index leads to.</summary>
internal sealed class PageWitnesses(Relation table, HealingCase healing, Patient patient, IByteSource bytes, IPageView view)
{
    /// <summary>What index entries say, by block: the line pointers that have one. Null where no index was read to its end.</summary>
    private Dictionary<long, HashSet<int>>? indexed;

    public async ValueTask Hear(IReadOnlyCollection<long> blocks, CancellationToken cancellationToken)
    {
        // Small ones first. One that is accused itself, is partial or not finished does not know every row.
        foreach (var index in patient.Relations.IndexesOf(table.Oid).Where(IsWitness).OrderBy(index => index.Pages))
            if (await Read(index, blocks, cancellationToken) is { } heard)
            {
                indexed = heard;
                return;
            }
    }

    public async ValueTask<PageEvidence> Of(long block, HeapExpectations expected, CancellationToken cancellationToken)
    {
        var map = new byte[PageFormat.Size];
        var (file, offset) = Forks.Place(table.Path!, Forks.Vm, VisibilityMap.MapBlock((uint)block));
        var hasMap = await bytes.Read(file, offset, map, cancellationToken) == PageFormat.Size && !PageHeader.Read(map).IsNew;
        return new PageEvidence(expected with { Block = (uint)block, MapBits = hasMap ? VisibilityMap.Bits(map, (uint)block) : null })
        {
            Indexed = indexed?[block],
        };
    }

    /// <summary>
    /// Whether a row with the same unique key as that line pointer's has an entry that leads elsewhere: then bringing it back could make a duplicate.
    /// The key is the one that the index itself has for it, so that expressions and predicates need not be computed.
    /// </summary>
    public async ValueTask<string?> Rival(byte[] page, long block, int item, CancellationToken cancellationToken)
    {
        var pointer = LinePointer.Read(page, item);
        var unique = patient.Relations.IndexesOf(table.Oid).Where(index => index.Index is { Unique: true } or { Exclusion: true }).ToList();
        if (unique.Count > 0 && HeapTupleHeader.Read(page.AsSpan(pointer.Offset, pointer.Length)).IsHeapOnly)
            return "no index entry of its own tells its key, so another row may have it by now";
        foreach (var index in unique)
        {
            if (index.AccessMethod != "btree" || index.Pages > BtreeEntries.MostBlocks)
                return $"whether another row conflicts with it in index {index.Name} by now cannot be told";
            if (await Rival(index, new Tid((uint)block, item), cancellationToken) is { } rival)
                return rival;
        }
        return null;
    }

    /// <remarks>A key that cannot be read here (NULL, compressed) is not equal to one that can.</remarks>
    private async ValueTask<string?> Rival(Relation index, Tid mine, CancellationToken cancellationToken)
    {
        var columns = await RawKeys.OfKey(index, patient.Session, cancellationToken);
        var hasEntry = false;
        string? key = null;
        Tid? rival = null;
        var whole = await BtreeEntries.Read(index, view, patient, (entry, tid) =>
        {
            if (tid != mine) return;
            // NULL conflicts with nothing, unless the index says so.
            hasEntry = index.Index!.NullsNotDistinct || !IndexKeys.HasNull(entry, columns.Columns.Length);
            key = columns.OfEntry(entry);
        }, cancellationToken);
        if (whole && key is not null)
            whole = await BtreeEntries.Read(index, view, patient, (entry, tid) =>
            {
                if (tid.Block != mine.Block && columns.OfEntry(entry) == key) rival = tid;
            }, cancellationToken);
        return rival is { } other ? $"index {index.Name} leads from the same key to {other} also"
            : !whole || (hasEntry && key is null) ? $"its key in index {index.Name} could not be read, so another row may have it by now"
            : null;
    }

    private bool IsWitness(Relation index) =>
        index is { AccessMethod: "btree", Index: { Valid: true, Ready: true, HasPredicate: false } } && index.Pages <= BtreeEntries.MostBlocks
        && healing.Neighbours.All(other => other.Target.Object != index.Name || other.Target.ObjectSchema != index.Schema);

    private async ValueTask<Dictionary<long, HashSet<int>>?> Read(
        Relation index, IReadOnlyCollection<long> blocks, CancellationToken cancellationToken)
    {
        var heard = blocks.ToDictionary(block => block, _ => new HashSet<int>());
        var whole = await BtreeEntries.Read(index, view, patient, (_, tid) =>
        {
            if (heard.TryGetValue(tid.Block, out var items)) items.Add(tid.Item);
        }, cancellationToken);
        return whole ? heard : null;
    }
}
