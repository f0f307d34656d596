using System.Buffers.Binary;

namespace Kintsugi.Pages.Crossing;

/// <summary>
/// A 64-bit digest of a key and of its row's place. Digests are summed up, so that the order in which rows and entries are met does not matter;
/// two sums that agree by chance are one in 2^64. It finds mistakes of machines, and is no defence against forgery.
/// </summary>
public static class KeyDigest
{
    /// <summary>What the digest of a key begins with.</summary>
    public const ulong Start = 0x9E3779B97F4A7C15;

    private const ulong NullMark = 0xD6E8FEB86659FD93, PlaceMark = 0xA0761D6478BD642F, LengthMark = 0xE7037ED1A0B428DB;

    /// <summary>Adds a null.</summary>
    public static ulong AddNull(ulong digest) => Mix(digest ^ NullMark, LengthMark);

    /// <summary>Adds a value's bytes.</summary>
    public static ulong Add(ulong digest, ReadOnlySpan<byte> value)
    {
        var length = (ulong)value.Length * Start;
        while (value.Length > 8)
        {
            digest = Mix(digest ^ BinaryPrimitives.ReadUInt64LittleEndian(value), PlaceMark);
            value = value[8..];
        }
        return Mix(digest ^ Tail(value), NullMark ^ length);
    }

    /// <summary>The digest of a key at a row's place.</summary>
    public static ulong At(ulong key, Tid place) => Mix(key ^ PlaceMark, place.Packed * Start + LengthMark);

    private static ulong Tail(ReadOnlySpan<byte> value)
    {
        if (value.Length == 8) return BinaryPrimitives.ReadUInt64LittleEndian(value);
        if (value.Length >= 4)
            return BinaryPrimitives.ReadUInt32LittleEndian(value) | (ulong)BinaryPrimitives.ReadUInt32LittleEndian(value[^4..]) << 32;
        var word = 0UL;
        for (var i = 0; i < value.Length; i++) word |= (ulong)value[i] << (8 * i);
        return word;
    }

    private static ulong Mix(ulong left, ulong right)
    {
        var high = Math.BigMul(left, right, out var low);
        return high ^ low;
    }
}
