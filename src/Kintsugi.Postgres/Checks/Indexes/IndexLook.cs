using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>Reads all pages of one index once and holds every entry against a stretch of its heap.</summary>
/// <param name="checksums">Pages carry checksums: one that does not match is read no further.</param>
/// <param name="believesKills">Entries that a scan marked as leading to dead rows count as none; a standby ignores such marks.</param>
internal sealed class IndexLook(IPageView view, Located index, bool checksums, bool believesKills)
{
    private readonly IndexPageContent content = new();
    private readonly IndexKind kind = IndexKinds.Of(index.Relation.AccessMethod);

    /// <summary>Hash buckets that are being split hold copies of entries until they are cleaned up (hash/README).</summary>
    private bool splitting;

    /// <param name="window">The stretch of the heap, which takes in the places that have an entry.</param>
    /// <param name="heapEnd">Blocks of the whole heap; entries behind it are told with the last stretch.</param>
    /// <param name="isFirst">Whether this is the first stretch: the index's own structure is judged then.</param>
    /// <param name="into">Receives what is suspicious.</param>
    /// <param name="cancellationToken">Stops between two reads.</param>
    public async ValueTask Run(
        HeapWindow window, long heapEnd, bool isFirst, Suspicions into, CancellationToken cancellationToken)
    {
        window.ForgetSeen();
        var isLast = window.First + window.Blocks >= heapEnd;
        var blocks = await view.Blocks(index, cancellationToken);
        var links = new Links((int)Math.Min(blocks, int.MaxValue));
        using var buffer = PageBuffer.For(blocks);
        var twice = new List<Tid>();
        for (var block = 0L; block < blocks;)
        {
            var read = await view.Read(index, block, buffer.Bytes, cancellationToken);
            if (read == 0)
                break;
            for (var i = 0; i < read && block < blocks; i++, block++)
                Take(buffer.Page(i), block, links, window, twice, isLast, heapEnd, into);
        }
        if (isFirst)
            into.Structure.AddRange(links.Broken(index));
        if (!splitting && kind != IndexKind.Gin)
            into.Entries.AddRange(await Places(twice, blocks, cancellationToken));
    }

    private void Take(
        ReadOnlySpan<byte> page, long block, Links links, HeapWindow window, List<Tid> twice, bool isLast, long heapEnd,
        Suspicions into)
    {
        var wrong = IndexPages.Read(kind, page, block, checksums, content);
        links.Take(page, block, kind, content, wrong);
        if (wrong is not null)
            return;
        if (kind == IndexKind.Hash && content.Role == IndexPageRole.Leaf && (HashPage.Read(page).Flags & 0x70) != 0)
            splitting = true;
        foreach (var entry in content.Rows)
        {
            if (window.Holds(entry.Tid))
            {
                if (window.Bars(entry.Tid))
                    Suspect(into, block, entry.Tid, SlotFault.Unused);
                else if (entry.IsKilled && believesKills)
                    continue;
                else if (!window.See(entry.Tid) && kind != IndexKind.Gin && twice.Count < Suspicions.Most)
                    twice.Add(entry.Tid);
            }
            else if (isLast && entry.Tid.Block >= heapEnd)
                Suspect(into, block, entry.Tid, SlotFault.BeyondEnd);
        }
    }

    private void Suspect(Suspicions into, long block, Tid tid, SlotFault fault)
    {
        if (into.Entries.Count(suspicion => suspicion.Index == index) < Suspicions.Most)
            into.Entries.Add(new EntrySuspicion(index, block, tid, fault));
    }

    /// <summary>Where the rows stand that have more than one entry: asked for only when there are any.</summary>
    private async ValueTask<IReadOnlyList<EntrySuspicion>> Places(List<Tid> twice, long blocks, CancellationToken cancellationToken)
    {
        if (twice.Count == 0)
            return [];
        var wanted = twice.ToHashSet();
        var found = new List<EntrySuspicion>();
        using var buffer = PageBuffer.For(blocks);
        for (var block = 0L; block < blocks;)
        {
            var read = await view.Read(index, block, buffer.Bytes, cancellationToken);
            if (read == 0)
                break;
            for (var i = 0; i < read && block < blocks; i++, block++)
                if (IndexPages.Read(kind, buffer.Page(i), block, checksums, content) is null)
                    found.AddRange(content.Rows.Where(row => wanted.Contains(row.Tid))
                        .Select(row => new EntrySuspicion(index, block, row.Tid, SlotFault.None)));
        }
        return found;
    }
}
