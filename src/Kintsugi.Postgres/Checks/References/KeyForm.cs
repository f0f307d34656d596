using System.Buffers.Binary;
using System.Globalization;
using Kintsugi.Pages.Values;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>
/// How equal values of a type are told from their stored bytes, as its own equality operator would: 1.0 and 1.00 are one numeric, blanks at the
/// end do not count in char(n), -0 equals 0, a month is thirty days. A type whose equality is not known here is left to the server.
/// </summary>
internal enum KeyForm
{
    /// <summary>Only the server can compare it: citext, a nondeterministic collation, a type of somebody's own.</summary>
    Unknown,

    /// <summary>Equal values have equal bytes, and only values of the very same type are compared.</summary>
    Bytes,
    Number,
    Float,
    Text,
    Span,
}

internal static class KeyForms
{
    private const uint Name = 19, Bpchar = 1042;

    public static KeyForm Of(uint type, bool isEnum, bool deterministic) => type switch
    {
        20 or 21 or 23 or 26 or 1700 => KeyForm.Number,
        700 or 701 => KeyForm.Float,
        25 or 1043 or Bpchar or Name => deterministic ? KeyForm.Text : KeyForm.Unknown,
        1186 => KeyForm.Span,
        // bool, bytea, "char", date, time, timestamp, timestamptz, timetz, uuid, inet, cidr, macaddr, macaddr8.
        16 or 17 or 18 or 1082 or 1083 or 1114 or 1184 or 1266 or 2950 or 869 or 650 or 829 or 774 => KeyForm.Bytes,
        _ => isEnum ? KeyForm.Bytes : KeyForm.Unknown,
    };

    /// <summary>One text for all equal values; null where the bytes are no value of the type.</summary>
    public static string? Canonical(ReadOnlySpan<byte> data, KeyForm form, uint type) => (form, type, data.Length) switch
    {
        (KeyForm.Number, 20, 8) => Whole(BinaryPrimitives.ReadInt64LittleEndian(data)),
        (KeyForm.Number, 21, 2) => Whole(BinaryPrimitives.ReadInt16LittleEndian(data)),
        (KeyForm.Number, 23, 4) => Whole(BinaryPrimitives.ReadInt32LittleEndian(data)),
        (KeyForm.Number, 26, 4) => Whole(BinaryPrimitives.ReadUInt32LittleEndian(data)),
        (KeyForm.Number, 1700, _) => DatumText.Of(data, new DatumType("numeric_out", -1, 4, null), _ => null) is { } text
            ? "#" + (text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text) : null,
        (KeyForm.Float, 700, 4) => Real(BinaryPrimitives.ReadSingleLittleEndian(data)),
        (KeyForm.Float, 701, 8) => Real(BinaryPrimitives.ReadDoubleLittleEndian(data)),
        (KeyForm.Text, Bpchar, _) => Convert.ToHexString(data.TrimEnd((byte)' ')),
        (KeyForm.Text, Name, _) => Convert.ToHexString(data.TrimEnd((byte)0)),
        (KeyForm.Span, _, 16) => Whole(BinaryPrimitives.ReadInt64LittleEndian(data)
            + (BinaryPrimitives.ReadInt32LittleEndian(data[8..]) + (Int128)30 * BinaryPrimitives.ReadInt32LittleEndian(data[12..])) * 86_400_000_000),
        _ => Convert.ToHexString(data),
    };

    private static string Whole(Int128 number) => $"#{number.ToString(CultureInfo.InvariantCulture)}";

    private static string Real(double number) => number == 0 ? "0" : number.ToString("R", CultureInfo.InvariantCulture);
}
