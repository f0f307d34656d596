using System.Buffers.Binary;
using System.Numerics;

namespace Kintsugi.Pages.Files;

/// <summary>CRC-32C (Castagnoli) as the control file, relation maps and WAL records carry it (pg_crc32c.h).</summary>
public static class Crc32C
{
    private const uint Start = 0xFFFFFFFF;

    /// <summary>The checksum of the bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(Start, bytes) ^ Start;

    /// <summary>The checksum of one part followed by another, which is how a WAL record's is made.</summary>
    public static uint Compute(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second) =>
        Append(Append(Start, first), second) ^ Start;

    private static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var one in bytes) crc = BitOperations.Crc32C(crc, one);
        return crc;
    }
}
