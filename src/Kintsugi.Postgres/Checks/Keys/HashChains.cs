using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Checks.Keys;

/// <summary>Which overflow pages of a hash index are reached from the first page of their bucket (hash/README). It tells only of an index none of
/// whose pages was changed since the moment: then all of them are of one time.</summary>
internal sealed class HashChains(Moment moment)
{
    private const int Overflow = 1;

    private readonly Dictionary<uint, HashPage> pages = [];
    private readonly HashSet<uint> empty = [];
    private bool isExact = true;

    public void Add(long block, HashPage page, ReadOnlySpan<byte> bytes)
    {
        isExact &= PageHeader.Read(bytes).Lsn <= moment.Lsn;
        pages[(uint)block] = page;
        if (PageHeader.Read(bytes).ItemCount == 0)
            empty.Add((uint)block);
    }

    /// <summary>A page with entries that no search comes to; null where there is none, or it cannot be told.</summary>
    public (uint Page, uint Bucket)? Lost()
    {
        if (!isExact)
            return null;
        var reached = new HashSet<uint>();
        foreach (var (first, page) in pages.Where(pair => (pair.Value.Flags & Overflow) == 0))
            for (var (block, own) = (first, page); reached.Add(block) && pages.TryGetValue(own.Next, out var next); (block, own) = (own.Next, next))
                if ((next.Flags & Overflow) == 0)
                    break;
        foreach (var (block, page) in pages)
            if ((page.Flags & Overflow) != 0 && !empty.Contains(block) && !reached.Contains(block))
                return (block, page.Bucket);
        return null;
    }
}
