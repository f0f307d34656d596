using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Indexes;

/// <summary>The key of an entry of those access methods that keep the column's own value behind the entry's header (btree).</summary>
public static class IndexKeys
{
    /// <summary>Whether one of the first columns is null: the bitmap behind the header has a bit for each that is not (itup.h).</summary>
    public static bool HasNull(ReadOnlySpan<byte> entry, int columns)
    {
        if (entry.Length < IndexTuple.HeaderSize + 4 || !IndexTuple.Read(entry, 0).HasNulls) return false;
        for (var index = 0; index < columns; index++)
            if ((entry[IndexTuple.HeaderSize + index / 8] >> (index % 8) & 1) == 0) return true;
        return false;
    }

    /// <summary>Places of the first columns within the entry; false where one is null or cannot be found.</summary>
    /// <param name="entry">The entry from its header on.</param>
    /// <param name="columns">Length and alignment of the index's own columns.</param>
    /// <param name="slices">Receives the places; at least as many as columns.</param>
    public static bool TryRead(ReadOnlySpan<byte> entry, ReadOnlySpan<HeapColumn> columns, Span<AttributeSlice> slices)
    {
        if (entry.Length < IndexTuple.HeaderSize || IndexTuple.Read(entry, 0).HasNulls) return false;
        var at = IndexTuple.HeaderSize;
        for (var index = 0; index < columns.Length; index++)
        {
            if (!TupleReader.Locate(entry, columns[index], at, out slices[index], out _)) return false;
            at = slices[index].End;
        }
        return true;
    }
}
