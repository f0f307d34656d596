using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Kintsugi.Pages;

/// <summary>
/// The data checksum of one page: 32 interleaved FNV-1a sums, folded, mixed with the block number (checksum_impl.h).
/// The block number counts over the whole fork, not within one segment file.
/// </summary>
public static class PageChecksum
{
    private const uint Prime = 16777619;
    private const int Words = PageFormat.Size / sizeof(uint);
    private const int Lanes = 32;

    // pd_checksum itself counts as zero: it is the low half of the third word.
    private const uint ChecksumMask = 0xFFFF0000;

    private static ReadOnlySpan<uint> Offsets =>
    [
        0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
        0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
        0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
        0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
    ];

    /// <summary>The checksum that the page should carry when it is block number <paramref name="block"/> of its fork.</summary>
    public static ushort Compute(ReadOnlySpan<byte> page, uint block)
    {
        if (page.Length != PageFormat.Size)
            throw new ArgumentException($"A page has {PageFormat.Size} bytes, not {page.Length}.", nameof(page));
        if (Vector256.IsHardwareAccelerated && BitConverter.IsLittleEndian) return Fold(Sum256(page), block);
        if (Vector128.IsHardwareAccelerated && BitConverter.IsLittleEndian) return Fold(Sum128(page), block);
        return Fold(SumScalar(page), block);
    }

    /// <summary>Whether the page carries the checksum of this block. Pages never initialised (pd_upper 0) carry none.</summary>
    public static bool Matches(ReadOnlySpan<byte> page, uint block) => Stored(page) == Compute(page, block);

    /// <summary>
    /// The one block below <paramref name="count"/> whose checksum the page carries, or null when there is none or more than one:
    /// a page with a wrong checksum that is another block's right one was written to the wrong place.
    /// </summary>
    public static uint? BlockOf(ReadOnlySpan<byte> page, uint count)
    {
        // 65,535 values: beyond that many blocks some block always fits by chance.
        if (count > 65535) return null;
        var sum = SumScalar(page);
        var stored = Stored(page);
        uint? found = null;
        for (var block = 0u; block < count; block++)
        {
            if (Fold(sum, block) != stored) continue;
            if (found is not null) return null;
            found = block;
        }
        return found;
    }

    /// <summary>The checksum written in the page header.</summary>
    public static ushort Stored(ReadOnlySpan<byte> page) => BinaryPrimitives.ReadUInt16LittleEndian(page[8..]);

    /// <summary>Writes the checksum that belongs to this block into the page.</summary>
    public static void Seal(Span<byte> page, uint block) =>
        BinaryPrimitives.WriteUInt16LittleEndian(page[8..], Compute(page, block));

    internal static ushort Fold(uint sum, uint block) => (ushort)((sum ^ block) % 65535 + 1);

    internal static uint SumScalar(ReadOnlySpan<byte> page)
    {
        Span<uint> sums = stackalloc uint[Lanes];
        Offsets.CopyTo(sums);
        for (var word = 0; word < Words; word++)
        {
            var value = BinaryPrimitives.ReadUInt32LittleEndian(page[(word * 4)..]);
            Mix(ref sums[word % Lanes], word == 2 ? value & ChecksumMask : value);
        }
        var folded = 0u;
        foreach (ref var sum in sums)
        {
            Mix(ref sum, 0);
            Mix(ref sum, 0);
            folded ^= sum;
        }
        return folded;
    }

    // Four accumulators hide the latency of the multiplication; interleaving several pages gains nothing from memory.
    internal static uint Sum256(ReadOnlySpan<byte> page)
    {
        ref var data = ref Unsafe.As<byte, uint>(ref MemoryMarshal.GetReference(page));
        ref var start = ref MemoryMarshal.GetReference(Offsets);
        var mask = Vector256.Create(~0u, ~0u, ChecksumMask, ~0u, ~0u, ~0u, ~0u, ~0u);
        var a = Mix(Vector256.LoadUnsafe(ref start), Vector256.LoadUnsafe(ref data) & mask);
        var b = Mix(Vector256.LoadUnsafe(ref start, 8), Vector256.LoadUnsafe(ref data, 8));
        var c = Mix(Vector256.LoadUnsafe(ref start, 16), Vector256.LoadUnsafe(ref data, 16));
        var d = Mix(Vector256.LoadUnsafe(ref start, 24), Vector256.LoadUnsafe(ref data, 24));
        for (nuint word = Lanes; word < Words; word += Lanes)
        {
            a = Mix(a, Vector256.LoadUnsafe(ref data, word));
            b = Mix(b, Vector256.LoadUnsafe(ref data, word + 8));
            c = Mix(c, Vector256.LoadUnsafe(ref data, word + 16));
            d = Mix(d, Vector256.LoadUnsafe(ref data, word + 24));
        }
        var zero = Vector256<uint>.Zero;
        var folded = Mix(Mix(a, zero), zero) ^ Mix(Mix(b, zero), zero) ^ Mix(Mix(c, zero), zero) ^ Mix(Mix(d, zero), zero);
        return Across(folded.GetLower() ^ folded.GetUpper());
    }

    internal static uint Sum128(ReadOnlySpan<byte> page)
    {
        ref var data = ref Unsafe.As<byte, uint>(ref MemoryMarshal.GetReference(page));
        ref var start = ref MemoryMarshal.GetReference(Offsets);
        var mask = Vector128.Create(~0u, ~0u, ChecksumMask, ~0u);
        var folded = Vector128<uint>.Zero;
        // Two passes of four accumulators: eight vectors at once spill on machines with sixteen registers.
        for (nuint half = 0; half < Lanes; half += 16)
        {
            var first = Vector128.LoadUnsafe(ref data, half);
            var a = Mix(Vector128.LoadUnsafe(ref start, half), half == 0 ? first & mask : first);
            var b = Mix(Vector128.LoadUnsafe(ref start, half + 4), Vector128.LoadUnsafe(ref data, half + 4));
            var c = Mix(Vector128.LoadUnsafe(ref start, half + 8), Vector128.LoadUnsafe(ref data, half + 8));
            var d = Mix(Vector128.LoadUnsafe(ref start, half + 12), Vector128.LoadUnsafe(ref data, half + 12));
            for (var word = half + Lanes; word < Words; word += Lanes)
            {
                a = Mix(a, Vector128.LoadUnsafe(ref data, word));
                b = Mix(b, Vector128.LoadUnsafe(ref data, word + 4));
                c = Mix(c, Vector128.LoadUnsafe(ref data, word + 8));
                d = Mix(d, Vector128.LoadUnsafe(ref data, word + 12));
            }
            var zero = Vector128<uint>.Zero;
            folded ^= Mix(Mix(a, zero), zero) ^ Mix(Mix(b, zero), zero) ^ Mix(Mix(c, zero), zero) ^ Mix(Mix(d, zero), zero);
        }
        return Across(folded);
    }

    private static uint Across(Vector128<uint> sums) =>
        sums.GetElement(0) ^ sums.GetElement(1) ^ sums.GetElement(2) ^ sums.GetElement(3);

    private static void Mix(ref uint sum, uint value)
    {
        var mixed = sum ^ value;
        sum = unchecked(mixed * Prime) ^ (mixed >> 17);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Mix(Vector256<uint> sum, Vector256<uint> value)
    {
        var mixed = sum ^ value;
        return (mixed * Prime) ^ Vector256.ShiftRightLogical(mixed, 17);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Mix(Vector128<uint> sum, Vector128<uint> value)
    {
        var mixed = sum ^ value;
        return (mixed * Prime) ^ Vector128.ShiftRightLogical(mixed, 17);
    }
}
