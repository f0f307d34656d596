using System.Globalization;

namespace Kintsugi.Pages;

/// <summary>The place of a row version: block of the heap and line pointer on it (ItemPointerData, itemptr.h).</summary>
public readonly record struct Tid(uint Block, int Item) : IComparable<Tid>
{
    /// <summary>Bytes on disk: two halves of the block number, then the item number.</summary>
    public const int Size = 6;

    /// <summary>No block has this number (InvalidBlockNumber).</summary>
    public const uint NoBlock = uint.MaxValue;

    /// <summary>Whether a heap can have such a row: a real block and an item that fits a page.</summary>
    public bool IsPossible => Block != NoBlock && Item is >= 1 and <= PageFormat.MaxHeapItems;

    /// <summary>Block and item in one number, in their order.</summary>
    public ulong Packed => ((ulong)Block << 16) | (ushort)Item;

    /// <summary>Reads six bytes.</summary>
    public static Tid Read(ReadOnlySpan<byte> bytes, int at) => new(
        ((uint)LittleEndian.U16(bytes, at) << 16) | LittleEndian.U16(bytes, at + 2), LittleEndian.U16(bytes, at + 4));

    /// <summary>Reads what the server prints.</summary>
    /// <exception cref="FormatException">It is no place of a row.</exception>
    public static Tid Parse(string ctid)
    {
        var comma = ctid.IndexOf(',', StringComparison.Ordinal);
        return comma > 0
            ? new(uint.Parse(ctid.AsSpan(1, comma - 1), CultureInfo.InvariantCulture), int.Parse(ctid.AsSpan(comma + 1, ctid.Length - comma - 2), CultureInfo.InvariantCulture))
            : throw new FormatException($"{ctid} is no place of a row");
    }

    /// <inheritdoc/>
    public int CompareTo(Tid other) => Packed.CompareTo(other.Packed);

    /// <summary>As the server prints it.</summary>
    public override string ToString() => $"({Block},{Item})";

    /// <summary>Whether the left stands before the right.</summary>
    public static bool operator <(Tid left, Tid right) => left.Packed < right.Packed;

    /// <summary>Whether the left stands behind the right.</summary>
    public static bool operator >(Tid left, Tid right) => left.Packed > right.Packed;

    /// <summary>Whether the left does not stand behind the right.</summary>
    public static bool operator <=(Tid left, Tid right) => left.Packed <= right.Packed;

    /// <summary>Whether the left does not stand before the right.</summary>
    public static bool operator >=(Tid left, Tid right) => left.Packed >= right.Packed;
}
