using System.Buffers.Binary;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>A change that might be the right one: tried on a copy, judged by the inspector.</summary>
internal sealed record Edit(int At, byte[] After, string What)
{
    /// <summary>On what it stands when it is the only one left.</summary>
    public Basis Basis { get; init; } = Basis.Arithmetic;

    /// <summary>Who speaks for and against it.</summary>
    public IReadOnlyList<Witness> Witnesses { get; init; } = [];

    /// <summary>Whether others would have done as well.</summary>
    public bool IsGuess { get; init; }

    public static Edit Byte(int at, int value, string what) => new(at, [(byte)value], what);

    public static Edit Word(int at, int value, string what)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)value);
        return new Edit(at, bytes, what);
    }

    public static Edit Long(int at, uint value, string what)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return new Edit(at, bytes, what);
    }

    public static Edit Pointer(int item, LinePointer pointer, string what) =>
        Long(LinePointer.Position(item), pointer.Encode(), what);

    public static Edit Ctid(int at, Tid tid, string what)
    {
        var bytes = new byte[Tid.Size];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(tid.Block >> 16));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), (ushort)tid.Block);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), (ushort)tid.Item);
        return new Edit(at, bytes, what);
    }

    /// <summary>Whether it would change anything.</summary>
    public bool Changes(ReadOnlySpan<byte> page) => !page.Slice(At, After.Length).SequenceEqual(After);

    /// <summary>How many bits it would change.</summary>
    public int BitsChanged(ReadOnlySpan<byte> page)
    {
        var bits = 0;
        for (var index = 0; index < After.Length; index++) bits += int.PopCount(page[At + index] ^ After[index]);
        return bits;
    }

    /// <summary>A copy of the page with the change made.</summary>
    public byte[] On(ReadOnlySpan<byte> page)
    {
        var copy = page.ToArray();
        After.CopyTo(copy, At);
        return copy;
    }

    public Correction Correct(ReadOnlySpan<byte> page, FlawKind mends, int item) => new(
        mends, item, At, page.Slice(At, After.Length).ToArray(), After, Basis, Witnesses, What, IsGuess);
}
