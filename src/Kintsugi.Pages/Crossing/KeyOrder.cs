namespace Kintsugi.Pages.Crossing;

/// <summary>Orders of values that follow from their bytes alone; what depends on a locale or on catalogs is not among them.</summary>
public enum KeyOrder
{
    /// <summary>Not known here: equal bytes are equal, everything else is undecided.</summary>
    Unknown,

    /// <summary>smallint.</summary>
    Int16,

    /// <summary>integer, date.</summary>
    Int32,

    /// <summary>bigint, time, timestamp, timestamptz, money.</summary>
    Int64,

    /// <summary>oid and its aliases.</summary>
    UInt32,

    /// <summary>pg_lsn, xid8.</summary>
    UInt64,

    /// <summary>boolean and "char": one unsigned byte.</summary>
    Byte,

    /// <summary>real: NaN is larger than all others and equal to itself.</summary>
    Float32,

    /// <summary>double precision, likewise.</summary>
    Float64,

    /// <summary>uuid, macaddr, bytea, text and name under the C collation: byte by byte, then the shorter one first.</summary>
    Bytes,

    /// <summary>numeric.</summary>
    Numeric,
}
