using System.Buffers.Binary;
using Kintsugi.Pages.Values;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>A numeric as it is stored: header, perhaps a weight, digits to the base of 10,000 (numeric.c).</summary>
internal static class NumericForm
{
    private const int Base = 10_000, Short = 0x8000, Special = 0xC000, ShortScaleMost = 63, ShortWeightMost = 63, ShortWeightLeast = -64;

    private static readonly DatumType Type = new("numeric_out", -1, 4, null);

    private readonly ref struct Parts(ReadOnlySpan<byte> stored)
    {
        private readonly int header = BinaryPrimitives.ReadUInt16LittleEndian(stored);

        public bool IsShort => (header & Short) != 0;
        public bool IsSpecial => (header & Special) == Special;
        public int Sign => IsSpecial ? header & 0xF000 : IsShort ? (header & 0x2000) << 1 : header & 0x4000;
        public int Scale => IsShort ? (header & 0x1F80) >> 7 : header & 0x3FFF;
        public ReadOnlySpan<byte> Digits { get; } = stored[((BinaryPrimitives.ReadUInt16LittleEndian(stored) & Short) != 0 ? 2 : 4)..];
        public int Weight { get; } = (BinaryPrimitives.ReadUInt16LittleEndian(stored) is var word && (word & Short) != 0)
            ? (word & 0x40) != 0 ? (word & 0x3F) | ~0x3F : word & 0x3F : BinaryPrimitives.ReadInt16LittleEndian(stored[2..]);
        public int Count => Digits.Length / 2;
        public int Digit(int at) => BinaryPrimitives.ReadUInt16LittleEndian(Digits[(at * 2)..]);
    }

    /// <summary>What numeric_send gives: count, weight, sign, scale and the digits, in network order.</summary>
    public static string Hex(ReadOnlySpan<byte> stored)
    {
        if (!IsLongEnough(stored))
            return "";
        var parts = new Parts(stored);
        var sent = new byte[8 + (parts.Count * 2)];
        BinaryPrimitives.WriteUInt16BigEndian(sent, (ushort)parts.Count);
        BinaryPrimitives.WriteInt16BigEndian(sent.AsSpan(2), (short)parts.Weight);
        BinaryPrimitives.WriteUInt16BigEndian(sent.AsSpan(4), (ushort)parts.Sign);
        BinaryPrimitives.WriteUInt16BigEndian(sent.AsSpan(6), (ushort)parts.Scale);
        for (var at = 0; at < parts.Count; at++)
            BinaryPrimitives.WriteUInt16BigEndian(sent.AsSpan(8 + (at * 2)), (ushort)parts.Digit(at));
        return Convert.ToHexStringLower(sent);
    }

    /// <summary>The value; null where the server would not store it in just these bytes, and of those that are no number.</summary>
    public static string? ToText(ReadOnlySpan<byte> stored) =>
        IsLongEnough(stored) && IsAsTheServerWrites(new Parts(stored)) ? DatumText.Of(stored, Type, _ => null) : null;

    private static bool IsLongEnough(ReadOnlySpan<byte> stored) =>
        stored.Length >= 2 && stored.Length % 2 == 0 && (stored.Length >= 4 || (BinaryPrimitives.ReadUInt16LittleEndian(stored) & Short) != 0);

    private static bool IsAsTheServerWrites(in Parts parts)
    {
        var fitsShort = parts is { Scale: <= ShortScaleMost, Weight: <= ShortWeightMost and >= ShortWeightLeast };
        if (parts.IsSpecial || parts.IsShort != fitsShort)
            return false;
        // Zero has no digits, no sign and no weight; no other number begins or ends with a zero digit.
        if (parts.Count == 0)
            return parts is { Sign: 0, Weight: 0 };
        for (var at = 0; at < parts.Count; at++)
            if (parts.Digit(at) >= Base)
                return false;
        // Behind the point no more digits than the scale says.
        var last = parts.Digit(parts.Count - 1);
        var beyond = ((parts.Count - 1 - parts.Weight) * 4) - parts.Scale;
        return parts.Digit(0) != 0 && last != 0 && beyond < 4 && (beyond <= 0 || last % (int)Math.Pow(10, beyond) == 0);
    }
}
