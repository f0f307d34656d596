using Kintsugi.Pages;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// Three facts about every place of a stretch of a heap, one bit each: whether an index entry may lead there, whether one must, and whether the index
/// that is read at the moment has one. A page takes bits for as many line pointers as it has; a table larger than one stretch is taken in several, and
/// its indexes are read once for each.
/// </summary>
internal sealed class HeapWindow(long first, long end, int limit = HeapWindow.MostBlocks)
{
    /// <summary>8 GiB of heap: 28 MiB for rows of 150 bytes, 100 MiB for the narrowest.</summary>
    private const int MostBlocks = 1 << 20;

    private const int WordsOfFullPage = (PageFormat.MaxHeapItems >> 6) + 1;

    /// <summary>Where the words of each block begin, and after the last one where they end.</summary>
    private readonly int[] starts = new int[Math.Min(end - first, limit) + 1];

    /// <summary>Blocks of which nothing is known: nothing is barred there and nothing wanted.</summary>
    private readonly HashSet<int> open = [];

    private readonly PlaceSet barred = new(Math.Min(end - first, limit) * WordsOfFullPage);
    private readonly PlaceSet wanted = new(Math.Min(end - first, limit) * WordsOfFullPage);
    private readonly PlaceSet seen = new(Math.Min(end - first, limit) * WordsOfFullPage);

    public long First { get; } = first;

    /// <summary>How many blocks were taken in.</summary>
    public int Blocks { get; private set; }

    public bool IsFull => Blocks == starts.Length - 1;

    /// <summary>Takes in the next page; a page that cannot be believed bars nothing and wants nothing.</summary>
    public void Add(ReadOnlySpan<byte> page, bool believed, uint endedBefore)
    {
        // What is true of an item behind the last one is true of the page.
        if (!believed || HeapSlots.Judge(page, int.MaxValue) == SlotFault.None)
        {
            open.Add(Blocks);
            Close(WordsOfFullPage);
            return;
        }
        var header = PageHeader.Read(page);
        var count = header.IsNew ? 0 : Math.Min(header.ItemCount, PageFormat.MaxHeapItems);
        var words = count == 0 ? 0 : (count >> 6) + 1;
        var start = starts[Blocks];
        Close(words);
        for (var item = 1; item < words * 64; item++)
            if (item > count || HeapSlots.Judge(page, item) != SlotFault.None)
                barred.Add(start + (item >> 6), item);
            else if (HeapSlots.LiveMember(page, item, endedBefore) != 0)
                wanted.Add(start + (item >> 6), item);
    }

    /// <summary>The next block lies behind the end of the file: all of it is barred.</summary>
    public void AddMissing() => Close(0);

    public bool Holds(Tid tid) => tid.Block >= First && tid.Block < First + Blocks;

    public bool Bars(Tid tid)
    {
        var block = (int)(tid.Block - First);
        var word = starts[block] + (tid.Item >> 6);
        return word < starts[block + 1] ? barred.Has(word, tid.Item) : !open.Contains(block);
    }

    /// <summary>Before another index is read.</summary>
    public void ForgetSeen() => seen.Clear();

    /// <returns>False when an entry for that place was seen already.</returns>
    public bool See(Tid tid)
    {
        var block = (int)(tid.Block - First);
        var word = starts[block] + (tid.Item >> 6);
        return word >= starts[block + 1] || seen.Add(word, tid.Item);
    }

    /// <summary>Places that must have an entry and are not among those seen.</summary>
    public IEnumerable<Tid> Missing()
    {
        for (var block = 0; block < Blocks; block++)
            for (var word = starts[block]; word < starts[block + 1]; word++)
                for (var rest = wanted[word] & ~seen[word]; rest != 0; rest &= rest - 1)
                    yield return new Tid((uint)(First + block), ((word - starts[block]) * 64) + System.Numerics.BitOperations.TrailingZeroCount(rest));
    }

    private void Close(int words)
    {
        starts[Blocks + 1] = starts[Blocks] + words;
        Blocks++;
        barred.Grow(starts[Blocks]);
        wanted.Grow(starts[Blocks]);
        seen.Grow(starts[Blocks]);
    }
}

/// <summary>Bits in words, in pieces of memory that are never moved: of half a megabyte, or of what a small table takes.</summary>
/// <param name="most">Words that may come.</param>
internal sealed class PlaceSet(long most)
{
    private readonly int pieceBits = (int)Math.Min(16, System.Numerics.BitOperations.Log2((ulong)most | 1) + 1);
    private readonly List<ulong[]> pieces = [];

    public ulong this[int word] => Word(word);

    public void Grow(int words)
    {
        while ((long)pieces.Count << pieceBits < words)
            pieces.Add(new ulong[1 << pieceBits]);
    }

    public void Clear()
    {
        foreach (var piece in pieces)
            Array.Clear(piece);
    }

    /// <returns>False when it was there already.</returns>
    public bool Add(int word, int item)
    {
        ref var bits = ref Word(word);
        var bit = 1UL << (item & 63);
        var isNew = (bits & bit) == 0;
        bits |= bit;
        return isNew;
    }

    public bool Has(int word, int item) => (Word(word) & (1UL << (item & 63))) != 0;

    private ref ulong Word(int word) => ref pieces[word >> pieceBits][word & ((1 << pieceBits) - 1)];
}
