using Kintsugi.Pages;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// Two facts about every place of a stretch of a heap, one bit each: whether an index entry may lead there, and whether one must.
/// 80 bytes a block; a table larger than one stretch is taken in several, and its indexes are read once for each.
/// </summary>
internal sealed class HeapWindow(long first, int capacity)
{
    /// <summary>8 GiB of heap in 80 MiB of memory, and 40 MiB more for the index that is held against it.</summary>
    public const int MaxBlocks = 1 << 20;

    private readonly PlaceSet barred = new(capacity);
    private readonly PlaceSet wanted = new(capacity);

    public long First { get; } = first;
    public int Capacity { get; } = capacity;

    /// <summary>Takes in one page; a page that cannot be believed bars nothing and wants nothing.</summary>
    public void Add(long block, ReadOnlySpan<byte> page, bool believed, uint endedBefore)
    {
        if (!believed)
            return;
        var index = (int)(block - First);
        var header = PageHeader.Read(page);
        var count = header.IsNew || !header.IsPossible ? 0 : Math.Min(header.ItemCount, PageFormat.MaxHeapItems);
        for (var item = 1; item <= PageFormat.MaxHeapItems; item++)
        {
            if (HeapSlots.Judge(page, item) != SlotFault.None)
                barred.Add(index, item);
            else if (item <= count && HeapSlots.LiveMember(page, item, endedBefore) != 0)
                wanted.Add(index, item);
        }
    }

    /// <summary>Bars the whole block: it lies behind the end of the file.</summary>
    public void AddMissing(long block)
    {
        for (var item = 1; item <= PageFormat.MaxHeapItems; item++)
            barred.Add((int)(block - First), item);
    }

    public bool Holds(Tid tid) => tid.Block >= First && tid.Block < First + Capacity;

    public bool Bars(Tid tid) => barred.Has((int)(tid.Block - First), tid.Item);

    /// <summary>Places that must have an entry and are not among those seen.</summary>
    public IEnumerable<Tid> Missing(PlaceSet seen) =>
        wanted.Without(seen).Select(place => new Tid((uint)(First + place.Block), place.Item));
}

/// <summary>A set of places of a stretch of blocks.</summary>
internal sealed class PlaceSet(int blocks)
{
    private const int WordsPerBlock = (PageFormat.MaxHeapItems + 64) / 64;
    private readonly ulong[] words = new ulong[(long)blocks * WordsPerBlock];

    /// <returns>False when it was there already.</returns>
    public bool Add(int block, int item)
    {
        ref var word = ref words[((long)block * WordsPerBlock) + (item >> 6)];
        var bit = 1UL << (item & 63);
        var isNew = (word & bit) == 0;
        word |= bit;
        return isNew;
    }

    public bool Has(int block, int item) => (words[((long)block * WordsPerBlock) + (item >> 6)] & (1UL << (item & 63))) != 0;

    public IEnumerable<(int Block, int Item)> Without(PlaceSet other)
    {
        for (var i = 0L; i < words.Length; i++)
            for (var rest = words[i] & ~other.words[i]; rest != 0; rest &= rest - 1)
                yield return ((int)(i / WordsPerBlock),
                    ((int)(i % WordsPerBlock) * 64) + System.Numerics.BitOperations.TrailingZeroCount(rest));
    }
}
