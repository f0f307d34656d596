using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace Kintsugi.Pages.Values;

/// <summary>
/// Writes a stored value as text that its type reads back as the same value; the server's own spelling of it may differ. A type whose stored form
/// is not known here has no text, rather than a guess.
/// </summary>
public static class DatumText
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <param name="data">The value without varlena header, unpacked.</param>
    /// <param name="labels">For enums.</param>
    /// <returns>Null where the type is not known or the bytes are none of its values.</returns>
    public static string? Of(ReadOnlySpan<byte> data, DatumType type, EnumLabel labels)
    {
        try
        {
            return Read(data, type, labels);
        }
        catch (Exception damage) when (damage is ArgumentException or IndexOutOfRangeException or OverflowException
            or InvalidOperationException or System.Text.Json.JsonException)
        {
            // Shorter than the type's form needs, no valid UTF-8, a moment that no calendar has, a document too deep or with a number that is none.
            return null;
        }
    }

    private static string? Read(ReadOnlySpan<byte> data, DatumType type, EnumLabel labels) => type.Output switch
    {
        "textout" or "varcharout" or "bpcharout" or "json_out" or "xml_out" => Strict.GetString(data),
        "nameout" => Strict.GetString(data[..data.IndexOf((byte)0)]),
        "charout" => data[0] == 0 ? "" : data[0] is >= 32 and < 127 ? ((char)data[0]).ToString() : null,
        "byteaout" => $"\\x{Convert.ToHexStringLower(data)}",
        "boolout" => data[0] switch { 0 => "f", 1 => "t", _ => null },
        "int2out" => Invariant(BinaryPrimitives.ReadInt16LittleEndian(data)),
        "int4out" => Invariant(BinaryPrimitives.ReadInt32LittleEndian(data)),
        "int8out" => Invariant(BinaryPrimitives.ReadInt64LittleEndian(data)),
        "oidout" => Invariant(BinaryPrimitives.ReadUInt32LittleEndian(data)),
        "float4out" => BinaryPrimitives.ReadSingleLittleEndian(data).ToString("R", CultureInfo.InvariantCulture),
        "float8out" => BinaryPrimitives.ReadDoubleLittleEndian(data).ToString("R", CultureInfo.InvariantCulture),
        "numeric_out" => NumericText.Of(data),
        "date_out" => TimeText.Date(BinaryPrimitives.ReadInt32LittleEndian(data)),
        "time_out" => TimeText.Time(BinaryPrimitives.ReadInt64LittleEndian(data)),
        "timetz_out" => TimeText.TimeWithZone(BinaryPrimitives.ReadInt64LittleEndian(data), BinaryPrimitives.ReadInt32LittleEndian(data[8..])),
        "timestamp_out" => TimeText.Timestamp(BinaryPrimitives.ReadInt64LittleEndian(data), ""),
        "timestamptz_out" => TimeText.Timestamp(BinaryPrimitives.ReadInt64LittleEndian(data), "+00"),
        "interval_out" => TimeText.Interval(BinaryPrimitives.ReadInt64LittleEndian(data), BinaryPrimitives.ReadInt32LittleEndian(data[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(data[12..])),
        "uuid_out" => data.Length == 16 ? Convert.ToHexStringLower(data) : null,
        "enum_out" => labels(BinaryPrimitives.ReadUInt32LittleEndian(data)),
        "jsonb_out" => JsonbText.Of(data),
        "array_out" => type.Element is { } element ? ArrayText.Of(data, element, labels) : null,
        "inet_out" or "cidr_out" => Address(data),
        "macaddr_out" or "macaddr8_out" => string.Join(':', Convert.ToHexStringLower(data).Chunk(2).Select(pair => new string(pair))),
        "bit_out" or "varbit_out" => Bits(data),
        _ => null,
    };

    private static string Invariant<T>(T number) where T : IFormattable => number.ToString(null, CultureInfo.InvariantCulture);

    // inet_struct: 2 and 3 are the families that the server writes on every platform (utils/inet.h).
    private static string? Address(ReadOnlySpan<byte> data) => (data[0], data.Length) is (2, 6) or (3, 18)
        ? $"{new IPAddress(data[2..])}/{Invariant(data[1])}" : null;

    private static string Bits(ReadOnlySpan<byte> data)
    {
        var text = new StringBuilder();
        for (var bit = 0; bit < BinaryPrimitives.ReadInt32LittleEndian(data); bit++)
            text.Append((data[4 + bit / 8] & (0x80 >> (bit % 8))) == 0 ? '0' : '1');
        return text.ToString();
    }
}
