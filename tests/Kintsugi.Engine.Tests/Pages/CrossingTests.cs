using System.Buffers.Binary;
using System.Text;
using Kintsugi.Pages;
using Kintsugi.Pages.Crossing;

namespace Kintsugi.Engine.Tests.Pages;

/// <summary>What the cross-check of tables and btrees rests on: unpacking, order, digests.</summary>
public sealed class CrossingTests
{
    [Fact]
    public void An_lz4_block_is_unpacked_and_a_damaged_one_is_refused()
    {
        // "abcd", a match of 8 at distance 4 (which runs into itself), and five last literals.
        byte[] block = [0x44, .. "abcd"u8, 4, 0, 0x50, .. "efghi"u8];
        var target = new byte[17];

        Assert.True(Lz4.TryDecompress(block, target));
        Assert.Equal("abcdabcdabcdefghi", Encoding.ASCII.GetString(target));
        Assert.False(Lz4.TryDecompress(block, new byte[16]));
        Assert.False(Lz4.TryDecompress(block, new byte[18]));
        for (var length = 0; length < block.Length; length++)
            Assert.False(Lz4.TryDecompress(block.AsSpan(0, length), target));
        block[5] = 9;
        Assert.False(Lz4.TryDecompress(block, target));
    }

    [Fact]
    public void Long_runs_of_lz4_have_lengths_of_several_bytes()
    {
        // One literal, then a match of 4 + 15 + 255 + 26 = 300 at distance 1.
        byte[] block = [0x1F, (byte)'x', 1, 0, 255, 26, 0x00];
        var target = new byte[301];

        Assert.True(Lz4.TryDecompress(block, target));
        Assert.All(target, it => Assert.Equal((byte)'x', it));
    }

    [Fact]
    public void Numeric_values_are_in_their_order_and_not_in_that_of_their_bytes()
    {
        // -Infinity, -20000, -2, -0.5, 0, 0.0001, 0.5, 1, 1.00, 9999, 10000, 1e8, Infinity, NaN
        byte[][] ascending =
        [
            Words(0xF000), Short(true, 1, 2), Short(true, 0, 2), Short(true, -1, 5000), Short(false, 0), Short(false, -1, 1), Short(false, -1, 5000),
            Short(false, 0, 1), Long(false, 0, 1), Short(false, 0, 9999), Short(false, 1, 1), Short(false, 2, 1), Words(0xD000), Words(0xC000),
        ];
        for (var i = 0; i < ascending.Length; i++)
            for (var j = 0; j < ascending.Length; j++)
                Assert.Equal(i is 7 or 8 && j is 7 or 8 ? 0 : i.CompareTo(j), Math.Sign(KeyComparer.Values(ascending[i], ascending[j], KeyOrder.Numeric)!.Value));
        Assert.Null(KeyComparer.Values([1], ascending[0], KeyOrder.Numeric));
    }

    [Fact]
    public void Minus_zero_is_zero_and_nan_is_the_largest()
    {
        double[] ascending = [double.NegativeInfinity, -1, 0, 1, double.PositiveInfinity, double.NaN];
        for (var i = 0; i < ascending.Length; i++)
            for (var j = 0; j < ascending.Length; j++)
                Assert.Equal(i.CompareTo(j), KeyComparer.Values(BitConverter.GetBytes(ascending[i]), BitConverter.GetBytes(ascending[j]), KeyOrder.Float64));
        Assert.Equal(0, KeyComparer.Values(BitConverter.GetBytes(-0.0), BitConverter.GetBytes(0.0), KeyOrder.Float64));
    }

    [Fact]
    public void A_digest_tells_null_from_empty_and_one_column_from_the_next()
    {
        var none = KeyDigest.Start;
        ulong[] different =
        [
            KeyDigest.AddNull(none), KeyDigest.Add(none, []), KeyDigest.Add(none, [0]), KeyDigest.Add(none, [0, 0]), KeyDigest.Add(none, "a"u8),
            KeyDigest.Add(KeyDigest.Add(none, "a"u8), "b"u8), KeyDigest.Add(none, "ab"u8), KeyDigest.Add(KeyDigest.Add(none, "ab"u8), []),
            KeyDigest.Add(none, new byte[8]), KeyDigest.Add(none, new byte[9]), KeyDigest.Add(none, "eight by"u8), KeyDigest.Add(none, "nine byte"u8),
        ];
        Assert.Equal(different.Length, different.Distinct().Count());
        Assert.NotEqual(KeyDigest.At(none, new Tid(1, 2)), KeyDigest.At(none, new Tid(2, 1)));
    }

    private static byte[] Short(bool negative, int weight, params int[] digits) =>
        Words([(ushort)(0x8000 | (negative ? 0x2000 : 0) | (weight < 0 ? 0x40 : 0) | weight & 0x3F), .. digits.Select(digit => (ushort)digit)]);

    private static byte[] Long(bool negative, int weight, params int[] digits) =>
        Words([(ushort)((negative ? 0x4000 : 0) | 2), (ushort)(short)weight, .. digits.Select(digit => (ushort)digit)]);

    private static byte[] Words(params ushort[] words)
    {
        var bytes = new byte[words.Length * 2];
        for (var i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * 2), words[i]);
        return bytes;
    }
}
