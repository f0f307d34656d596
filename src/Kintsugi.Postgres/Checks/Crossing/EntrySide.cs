using Kintsugi.Pages;
using Kintsugi.Pages.Crossing;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>Holds the entries of leaf pages against what is known of the places that they lead to.</summary>
internal sealed class EntrySide(IndexSide index, PlaceMap map, int shift, long heapEnd, Suspicions suspicions)
{
    /// <summary>Called for every entry of a row that must have one, with the digest of its key and place.</summary>
    public Action<Tid, int, ulong>? OnMet { get; init; }

    private bool IsFirst => map.First == 0;

    /// <param name="page">A leaf.</param>
    /// <param name="block">Its number.</param>
    /// <param name="content">What was read from it.</param>
    /// <param name="digests">By item, where they are known already.</param>
    public void Take(ReadOnlySpan<byte> page, uint block, IndexPageContent content, ReadOnlySpan<ulong?> digests = default)
    {
        var item = 0;
        ulong? key = null;
        foreach (ref readonly var row in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(content.Rows))
        {
            if (!map.Holds(row.Tid))
            {
                if (IsFirst && row.Tid.Block >= heapEnd)
                    Suspect(block, row.Tid);
                continue;
            }
            var place = map.Of(row.Tid);
            if (place == Place.Barred)
                Suspect(block, row.Tid);
            // An entry that a scan has marked as dead is not found by any scan after it.
            if (place is not (Place.Live or Place.Undecided) || row.IsKilled || index.IsPartial)
                continue;
            if (row.Item != item)
            {
                item = row.Item;
                key = digests.IsEmpty ? Digest(page, item) : digests[item];
            }
            var isBare = place == Place.Undecided && index.IsUndecided(row.Tid);
            if (key is null && !isBare)
            {
                index.Doubt ??= $"{index.Index.Relation.Name}: the entry for {row.Tid} on page {block} cannot be read here";
                index.IsBroken = true;
                return;
            }
            var digest = KeyDigest.At(isBare ? KeyDigest.Start : key!.Value, row.Tid);
            var bucket = (int)((row.Tid.Block - map.First) >> shift);
            if (OnMet is null)
                index.Meet(bucket, digest);
            else
                OnMet(row.Tid, bucket, digest);
        }
    }

    private ulong? Digest(ReadOnlySpan<byte> page, int item)
    {
        var line = LinePointer.Read(page, item);
        return index.DigestEntry(page.Slice(line.Offset, line.Length));
    }

    private void Suspect(long block, Tid tid)
    {
        // What kind of place it is, the heap page itself tells later.
        if (OnMet is null && suspicions.Entries.Count < Suspicions.Most)
            suspicions.Entries.Add(new EntrySuspicion(index.Index, block, tid, tid.Block >= heapEnd ? SlotFault.BeyondEnd : SlotFault.Unused));
    }
}
