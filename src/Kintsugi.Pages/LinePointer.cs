using System.Buffers.Binary;

namespace Kintsugi.Pages;

/// <summary>What a line pointer says about its item (itemid.h). Values are those on disk.</summary>
public enum LinePointerState
{
    /// <summary>Free for reuse; has no storage.</summary>
    Unused = 0,

    /// <summary>Points at an item.</summary>
    Normal = 1,

    /// <summary>HOT redirect: the offset is another line pointer's number.</summary>
    Redirect = 2,

    /// <summary>Dead; with storage only in indexes.</summary>
    Dead = 3,
}

/// <summary>One entry of a page's line pointer array: 15 bits offset, 2 bits state, 15 bits length.</summary>
public readonly record struct LinePointer(int Offset, LinePointerState State, int Length)
{
    /// <summary>For a redirect, the number of the line pointer that it leads to.</summary>
    public int Target => Offset;

    /// <summary>First byte behind the item.</summary>
    public int End => Offset + Length;

    /// <summary>Whether it has bytes on the page.</summary>
    public bool HasStorage => Length != 0;

    /// <summary>Takes the 32 bits apart.</summary>
    public static LinePointer Decode(uint word) =>
        new((int)(word & 0x7FFF), (LinePointerState)((word >> 15) & 3), (int)(word >> 17));

    /// <summary>The 32 bits as they stand on the page.</summary>
    public uint Encode() => (uint)(Offset & 0x7FFF) | ((uint)State << 15) | ((uint)(Length & 0x7FFF) << 17);

    /// <summary>Line pointer <paramref name="number"/> (from 1). The caller keeps the number within the page.</summary>
    public static LinePointer Read(ReadOnlySpan<byte> page, int number) =>
        Decode(BinaryPrimitives.ReadUInt32LittleEndian(page[Position(number)..]));

    /// <summary>Byte position of line pointer <paramref name="number"/> (from 1) on its page.</summary>
    public static int Position(int number) => PageFormat.HeaderSize + (number - 1) * PageFormat.LinePointerSize;

    /// <summary>Whether the item lies between the line pointers' end and the page's end, so that its bytes can be read.</summary>
    public bool IsReadable(ReadOnlySpan<byte> page) =>
        HasStorage && Offset >= PageFormat.HeaderSize && End <= page.Length;
}
