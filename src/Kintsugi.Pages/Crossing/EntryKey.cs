using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Pages.Crossing;

/// <summary>What a btree entry is: of a leaf, a posting list, or a separator whose last columns may have been cut off (nbtree.h).</summary>
public readonly record struct EntryShape(int Attributes, Tid? First, Tid? Last)
{
    private const int OwnBit = 0x2000, PostingBit = 0x2000, CountMask = 0x0FFF, HasTidBit = 0x1000;

    /// <param name="entry">The entry from its header on.</param>
    /// <param name="columns">Columns of the index.</param>
    /// <param name="isInner">It stands on an inner page or is a high key.</param>
    public static EntryShape Read(ReadOnlySpan<byte> entry, int columns, bool isInner)
    {
        var tuple = IndexTuple.Read(entry, 0);
        if ((tuple.Info & OwnBit) == 0)
            return isInner ? new EntryShape(columns, null, null) : new EntryShape(columns, tuple.Tid, tuple.Tid);
        var said = tuple.Tid.Item;
        if ((said & PostingBit) != 0)
        {
            var count = said & CountMask;
            var at = (int)tuple.Tid.Block;
            return count == 0 || at < IndexTuple.HeaderSize || at + count * Tid.Size > entry.Length
                ? new EntryShape(columns, null, null)
                : new EntryShape(columns, Tid.Read(entry, at), Tid.Read(entry, at + (count - 1) * Tid.Size));
        }
        var place = (said & HasTidBit) != 0 && entry.Length >= IndexTuple.HeaderSize + Tid.Size ? Tid.Read(entry, entry.Length - Tid.Size) : (Tid?)null;
        return new EntryShape(Math.Min(said & CountMask, columns), place, place);
    }
}

/// <summary>Finds the columns of a btree entry.</summary>
public static class EntryKey
{
    private const int BitmapSize = 4;

    /// <summary>Places of the entry's columns, as many as it has; false where one cannot be found.</summary>
    /// <param name="entry">The entry from its header on.</param>
    /// <param name="parts">Columns of the index.</param>
    /// <param name="attributes">Columns that the entry has.</param>
    /// <param name="slices">Receives the places; at least as many as columns.</param>
    public static bool TryLocate(ReadOnlySpan<byte> entry, ReadOnlySpan<KeyPart> parts, int attributes, Span<AttributeSlice> slices)
    {
        var tuple = IndexTuple.Read(entry, 0);
        var at = PageFormat.Align(IndexTuple.HeaderSize + (tuple.HasNulls ? BitmapSize : 0));
        for (var index = 0; index < attributes; index++)
        {
            if (tuple.HasNulls && (entry[IndexTuple.HeaderSize + index / 8] >> (index % 8) & 1) == 0)
            {
                slices[index] = new AttributeSlice(AttributeForm.Null, 0, 0);
                continue;
            }
            if (TupleReader.TryPlain(entry, parts[index].Stored, ref at, out slices[index])) continue;
            if (!TupleReader.Locate(entry, parts[index].Stored, at, out slices[index], out _)) return false;
            at = slices[index].End;
        }
        return true;
    }
}
