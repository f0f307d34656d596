namespace Kintsugi.Pages.Heap;

/// <summary>OIDs of PostgreSQL's own types (pg_type.dat), the same in every cluster of 13 to 18.</summary>
internal static class BuiltInTypes
{
    public const uint Bool = 16, Name = 19, Path = 602, Polygon = 604, Cidr = 650, Inet = 869, Date = 1082, Time = 1083, Timestamp = 1114,
        TimestampWithZone = 1184, TimeWithZone = 1266, Bit = 1560, BitVarying = 1562, Numeric = 1700, TextSearchVector = 3614,
        Int4Range = 3904, TimestampRange = 3908, TimestampWithZoneRange = 3910, DateRange = 3912, Int8Range = 3926;

    /// <summary>For an array type its elements' type and bytes (-1 for varlena); null where it is no array that is known here.</summary>
    public static (uint Type, int Length)? ElementOf(uint array) => array switch
    {
        1000 => (Bool, 1),
        1001 => (17, -1),
        1002 => (18, 1),
        1003 => (Name, 64),
        1005 => (21, 2),
        1007 => (23, 4),
        1009 => (25, -1),
        1014 => (1042, -1),
        1015 => (1043, -1),
        1016 => (20, 8),
        1021 => (700, 4),
        1022 => (701, 8),
        1028 => (26, 4),
        1041 => (Inet, -1),
        1115 => (Timestamp, 8),
        1182 => (Date, 4),
        1183 => (Time, 8),
        1185 => (TimestampWithZone, 8),
        1187 => (1186, 16),
        1231 => (Numeric, -1),
        199 => (114, -1),
        2951 => (2950, 16),
        3807 => (3802, -1),
        _ => null,
    };

    /// <summary>For people.</summary>
    public static string NameOf(uint type) => type switch
    {
        Bool => "boolean",
        Name => "name",
        Path => "path",
        Polygon => "polygon",
        Cidr => "cidr",
        Inet => "inet",
        Date => "date",
        Time => "time",
        TimeWithZone => "time with time zone",
        Timestamp => "timestamp",
        TimestampWithZone => "timestamp with time zone",
        Bit => "bit",
        BitVarying => "bit varying",
        Numeric => "numeric",
        TextSearchVector => "tsvector",
        Int4Range or TimestampRange or TimestampWithZoneRange or DateRange or Int8Range => "range",
        _ => ElementOf(type) is null ? $"type {type}" : "array",
    };
}
