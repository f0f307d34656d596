using Kintsugi.Pages;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>What a line pointer of a heap means for index entries.</summary>
internal enum Place
{
    /// <summary>No entry may lead there.</summary>
    Barred,

    /// <summary>An entry may be left over; no row needs one.</summary>
    Free,

    /// <summary>A row that everyone sees is found from there: each index must have exactly one entry for it.</summary>
    Live,

    /// <summary>A row like that with a key that cannot be read here, for one index at least.</summary>
    Undecided,
}

/// <summary>Two bits for each line pointer of a stretch of a heap, so that an index can be held against it without reading the heap again.</summary>
internal sealed class PlaceMap
{
    private const int ChunkBytes = 1 << 16, MostChunks = 192, MostBytesPerPage = (PageFormat.MaxHeapItems + 4) / 4;

    private readonly List<byte[]> chunks = [];
    private readonly List<(int At, short Items)> pages = [];
    private int at = ChunkBytes;

    public PlaceMap(long first) => First = first;

    public long First { get; }
    public long End => First + pages.Count;

    /// <summary>About 12 MiB are used: the next stretch gets a map of its own, and the indexes are read once more for it.</summary>
    public bool IsFull => chunks.Count >= MostChunks && at + MostBytesPerPage > ChunkBytes;

    public void AddEmpty() => pages.Add((0, 0));

    /// <summary>Nothing is known of the page: entries that lead there are left alone.</summary>
    public void AddUnknown() => pages.Add((0, -1));

    /// <param name="items">By line pointer number; the first element is not used.</param>
    public void Add(ReadOnlySpan<Place> items)
    {
        var bytes = (items.Length + 3) / 4;
        if (at + bytes > ChunkBytes)
        {
            chunks.Add(new byte[ChunkBytes]);
            at = 0;
        }
        var chunk = chunks[^1];
        pages.Add((((chunks.Count - 1) * ChunkBytes) + at, (short)(items.Length - 1)));
        for (var i = 1; i < items.Length; i++)
            chunk[at + (i >> 2)] |= (byte)((int)items[i] << ((i & 3) * 2));
        at += bytes;
    }

    public bool Holds(Tid tid) => tid.Block >= First && tid.Block < End;

    /// <summary>Null where nothing is known.</summary>
    public Place? Of(Tid tid)
    {
        var (start, items) = pages[(int)(tid.Block - First)];
        if (items < 0)
            return null;
        return tid.Item > items ? Place.Barred : (Place)((chunks[start / ChunkBytes][(start % ChunkBytes) + (tid.Item >> 2)] >> ((tid.Item & 3) * 2)) & 3);
    }
}
