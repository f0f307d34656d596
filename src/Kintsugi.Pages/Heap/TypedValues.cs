namespace Kintsugi.Pages.Heap;

/// <summary>
/// Finds values that PostgreSQL's own types cannot have, from their bytes: what no input function, no receive function and no operator of the type
/// lets through. Reading such a value can crash a backend; here nothing is called. Values that are merely unlikely are none of its business.
/// </summary>
internal static class TypedValues
{
    private const long MicrosecondsPerDay = 86_400_000_000;

    // datatype/timestamp.h: from 4714-11-24 BC on; dates to 5874897 AD, timestamps to 294276 AD.
    private const int FirstDate = -2_451_545, EndOfDates = 2_145_031_949;
    private const long FirstTimestamp = -211_813_488_000_000_000, EndOfTimestamps = 9_223_371_331_200_000_000;

    /// <summary>Adds a flaw when a value that stands in the tuple as it is cannot be one of its type.</summary>
    public static void Inspect(ReadOnlySpan<byte> tuple, AttributeSlice slice, uint type, in Flaw place, ICollection<Flaw> flaws)
    {
        var isPossible = slice.Form switch
        {
            AttributeForm.Fixed => Fixed(slice.Data(tuple), type),
            AttributeForm.Plain or AttributeForm.Packed => Variable(slice.Data(tuple), type),
            _ => true,
        };
        if (!isPossible) flaws.Add(place with { Kind = FlawKind.ValueImpossible, Actual = type });
    }

    private static bool Fixed(ReadOnlySpan<byte> value, uint type) => type switch
    {
        BuiltInTypes.Bool => value[0] <= 1,
        BuiltInTypes.Name => value.Contains((byte)0),
        BuiltInTypes.Date => LittleEndian.I32(value, 0) is int.MinValue or int.MaxValue or (>= FirstDate and < EndOfDates),
        BuiltInTypes.Time or BuiltInTypes.TimeWithZone => LittleEndian.I64(value, 0) is >= 0 and <= MicrosecondsPerDay,
        BuiltInTypes.Timestamp or BuiltInTypes.TimestampWithZone =>
            LittleEndian.I64(value, 0) is long.MinValue or long.MaxValue or (>= FirstTimestamp and < EndOfTimestamps),
        _ => true,
    };

    private static bool Variable(ReadOnlySpan<byte> value, uint type) => type switch
    {
        BuiltInTypes.Numeric => Numeric(value),
        BuiltInTypes.Inet or BuiltInTypes.Cidr => Address(value, type == BuiltInTypes.Cidr),
        BuiltInTypes.Bit or BuiltInTypes.BitVarying => Bits(value),
        BuiltInTypes.Path => Points(value, 12),
        BuiltInTypes.Polygon => Points(value, 4 + 32),
        BuiltInTypes.TextSearchVector => TextSearchValues.IsVector(value),
        BuiltInTypes.Int4Range or BuiltInTypes.DateRange => Range(value, type, 4),
        BuiltInTypes.Int8Range or BuiltInTypes.TimestampRange or BuiltInTypes.TimestampWithZoneRange => Range(value, type, 8),
        _ => BuiltInTypes.ElementOf(type) is not ({ } element, var length) || ArrayValues.IsPossible(value, element, length),
    };

    // numeric.c: one word or two in front of digits of base 10,000; NaN and the infinities are the word alone.
    private static bool Numeric(ReadOnlySpan<byte> value)
    {
        if (value.Length < 2 || value.Length % 2 != 0) return false;
        var head = LittleEndian.U16(value, 0);
        if ((head & 0xC000) == 0xC000) return head is 0xC000 or 0xD000 or 0xF000;
        for (var at = (head & 0x8000) != 0 ? 2 : 4; at < value.Length; at += 2)
            if (LittleEndian.U16(value, at) >= 10_000) return false;
        return (head & 0x8000) != 0 || value.Length >= 4;
    }

    // inet.h: family (AF_INET, and that plus one), bits of the mask, four or sixteen bytes; cidr has no bits behind the mask.
    private static bool Address(ReadOnlySpan<byte> value, bool isNetwork)
    {
        if (value.Length < 2) return false;
        var bytes = value[0] switch { 2 => 4, 3 => 16, _ => -1 };
        if (value.Length != bytes + 2 || value[1] > bytes * 8) return false;
        for (var bit = value[1]; isNetwork && bit < bytes * 8; bit++)
            if ((value[2 + (bit / 8)] & (0x80 >> (bit % 8))) != 0) return false;
        return true;
    }

    // varbit.h: the number of bits, and as many bytes as they need.
    private static bool Bits(ReadOnlySpan<byte> value)
    {
        if (value.Length < 4) return false;
        var bits = LittleEndian.I32(value, 0);
        return bits >= 0 && value.Length - 4 == (int)(((long)bits + 7) / 8);
    }

    private static bool Points(ReadOnlySpan<byte> value, int header) =>
        value.Length >= header && LittleEndian.I32(value, 0) is > 0 and var points && value.Length == header + (points * 16L);

    // rangetypes.h: its own type's OID, the bounds that the flags in the last byte name, the lower one first.
    private static bool Range(ReadOnlySpan<byte> value, uint type, int size)
    {
        const int empty = 1, noLower = 0x08 | 0x20, noUpper = 0x10 | 0x40;
        if (value.Length < 5 || LittleEndian.U32(value, 0) != type) return false;
        var flags = value[^1];
        if ((flags & empty) != 0) return value.Length == 5;
        var (hasLower, hasUpper) = ((flags & noLower) == 0, (flags & noUpper) == 0);
        if (value.Length != 5 + ((hasLower ? size : 0) + (hasUpper ? size : 0))) return false;
        return !hasLower || !hasUpper || Bound(value, 4, size) <= Bound(value, 4 + size, size);
    }

    private static long Bound(ReadOnlySpan<byte> value, int at, int size) => size == 4 ? LittleEndian.I32(value, at) : LittleEndian.I64(value, at);
}
