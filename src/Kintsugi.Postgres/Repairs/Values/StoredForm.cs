using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>
/// A value as its bytes lie in a tuple and as SQL says it, for those types where both mean the same on every server: text in UTF-8, integers,
/// floats, numeric, dates and timestamps without time zone's help, uuid, bytea, addresses. Of other types nothing is tried.
/// </summary>
internal static class StoredForm
{
    private const uint Text = 25, VarChar = 1043, BpChar = 1042, Int2 = 21, Int4 = 23, Int8 = 20, Oid = 26, Date = 1082, Stamp = 1114, StampTz = 1184, Uuid = 2950,
        Float4 = 700, Float8 = 701, Numeric = 1700, Bytea = 17, Inet = 869, Cidr = 650;

    private static readonly Encoding Strict = new UTF8Encoding(false, throwOnInvalidBytes: true);

    public static bool Knows(uint type) => Send(type) is not null;

    public static bool IsText(uint type) => type is Text or VarChar or BpChar;

    /// <summary>SQL that gives the stored bytes of an expression in hex; integers come in network order and are turned (datatype send functions).</summary>
    public static string Hex(uint type, string expression) => $"pg_catalog.encode(pg_catalog.{Send(type)}({expression}), 'hex')";

    /// <summary>What <see cref="Hex"/> gives for these bytes.</summary>
    public static string Hex(uint type, ReadOnlySpan<byte> stored)
    {
        if (IsText(type) || type is Uuid or Bytea)
            return Convert.ToHexStringLower(stored);
        if (type is Numeric)
            return NumericForm.Hex(stored);
        if (type is Inet or Cidr)
            return AddressHex(stored, type == Cidr);
        var turned = stored.ToArray();
        Array.Reverse(turned);
        return Convert.ToHexStringLower(turned);
    }

    /// <summary>The value as text for <see cref="FromText"/>; null where the bytes are no value of the type.</summary>
    public static string? ToText(uint type, ReadOnlySpan<byte> stored)
    {
        if (IsText(type))
            return Decode(stored);
        return type switch
        {
            Int2 when stored.Length == 2 => Number(BinaryPrimitives.ReadInt16LittleEndian(stored)),
            Int4 when stored.Length == 4 => Number(BinaryPrimitives.ReadInt32LittleEndian(stored)),
            Oid when stored.Length == 4 => Number(BinaryPrimitives.ReadUInt32LittleEndian(stored)),
            Int8 when stored.Length == 8 => Number(BinaryPrimitives.ReadInt64LittleEndian(stored)),
            // Years 1 to 9999, which no clock has left yet: outside of them the server's own range checks would end the whole question.
            Date when stored.Length == 4 && BinaryPrimitives.ReadInt32LittleEndian(stored) is > -730_000 and < 2_900_000 and var days => Number(days),
            Stamp or StampTz when stored.Length == 8
                && BinaryPrimitives.ReadInt64LittleEndian(stored) is > -63_000_000_000_000_000 and < 252_000_000_000_000_000 and var micros => Number(micros),
            Uuid when stored.Length == 16 => Convert.ToHexStringLower(stored),
            // NaN has many bytes, and which of them were there no text tells.
            Float4 when stored.Length == 4 && BinaryPrimitives.ReadSingleLittleEndian(stored) is var single && !float.IsNaN(single) => single.ToString("R", CultureInfo.InvariantCulture),
            Float8 when stored.Length == 8 && BinaryPrimitives.ReadDoubleLittleEndian(stored) is var real && !double.IsNaN(real) => real.ToString("R", CultureInfo.InvariantCulture),
            Numeric => NumericForm.ToText(stored),
            Bytea => $"\\x{Convert.ToHexStringLower(stored)}",
            Inet or Cidr => AddressText(stored),
            _ => null,
        };
    }

    /// <summary>inet_send: family, bits of the mask, whether it is a cidr, bytes, address; as stored, two bytes more between.</summary>
    private static string AddressHex(ReadOnlySpan<byte> stored, bool isCidr) => stored.Length < 2 ? "" : Convert.ToHexStringLower(
        [stored[0], stored[1], isCidr ? (byte)1 : (byte)0, (byte)(stored.Length - 2), .. stored[2..]]);

    /// <summary>2 and 3 are the families that the server writes on every platform (utils/inet.h).</summary>
    private static string? AddressText(ReadOnlySpan<byte> stored) => stored.Length is 6 or 18 && stored[0] == (stored.Length == 6 ? 2 : 3) && stored[1] <= (stored.Length - 2) * 8
        ? $"{new System.Net.IPAddress(stored[2..])}/{Number(stored[1])}" : null;

    /// <summary>SQL that makes the value of that text again.</summary>
    public static string FromText(uint type, string text) => type switch
    {
        Text => text,
        VarChar => $"{text}::pg_catalog.varchar",
        BpChar => $"{text}::pg_catalog.bpchar",
        Int2 => $"{text}::pg_catalog.int2",
        Int4 => $"{text}::pg_catalog.int4",
        Int8 => $"{text}::pg_catalog.int8",
        Float4 => $"{text}::pg_catalog.float4",
        Float8 => $"{text}::pg_catalog.float8",
        Numeric => $"{text}::pg_catalog.numeric",
        Bytea => $"{text}::pg_catalog.bytea",
        Inet => $"{text}::pg_catalog.inet",
        Cidr => $"{text}::pg_catalog.cidr",
        Oid => $"{text}::pg_catalog.oid",
        Date => $"('2000-01-01'::pg_catalog.date + {text}::pg_catalog.int4)",
        Stamp => $"('2000-01-01'::pg_catalog.timestamp + {text}::pg_catalog.int8 * '1 microsecond'::pg_catalog.interval)",
        StampTz => $"('2000-01-01 00:00:00+00'::pg_catalog.timestamptz + {text}::pg_catalog.int8 * '1 microsecond'::pg_catalog.interval)",
        _ => $"{text}::pg_catalog.uuid",
    };

    /// <summary>How a person reads it.</summary>
    public static string Show(uint type, ReadOnlySpan<byte> stored) => ToText(type, stored) is { } text ? Quote.Literal(text) : $"bytes {Convert.ToHexStringLower(stored)}";

    private static string? Send(uint type) => type switch
    {
        Text => "textsend",
        VarChar => "varcharsend",
        BpChar => "bpcharsend",
        Int2 => "int2send",
        Int4 => "int4send",
        Int8 => "int8send",
        Oid => "oidsend",
        Date => "date_send",
        Stamp => "timestamp_send",
        StampTz => "timestamptz_send",
        Uuid => "uuid_send",
        Float4 => "float4send",
        Float8 => "float8send",
        Numeric => "numeric_send",
        Bytea => "byteasend",
        Inet => "inet_send",
        Cidr => "cidr_send",
        _ => null,
    };

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string? Decode(ReadOnlySpan<byte> stored)
    {
        if (stored.Contains((byte)0))
            return null;
        try
        {
            return Strict.GetString(stored);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
