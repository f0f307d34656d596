using System.Buffers.Binary;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>The vectors of a pg_index row: which columns, in what collation and order (pg_index.h).</summary>
internal sealed record RawIndexKey(uint Index, int KeyColumns, short[] Columns, uint[] Collations, uint[] Classes, short[] Options)
{
    /// <summary>In all majors the vectors begin behind 24 bytes of fixed columns.</summary>
    public const int Width = 48;

    private const int FirstVector = 24, VectorHeader = 24;

    public static RawIndexKey? Read(RawRow row)
    {
        var at = FirstVector;
        var columns = Vector(row, ref at, 2);
        var collations = Vector(row, ref at, 4);
        var classes = Vector(row, ref at, 4);
        var options = Vector(row, ref at, 2);
        return columns is null || collations is null || classes is null || options is null || columns.Length != row.Short(8)
            ? null
            : new RawIndexKey(row.Oid(0), row.Short(10), [.. columns.Select(it => (short)it)], [.. collations.Select(it => (uint)it)],
                [.. classes.Select(it => (uint)it)], [.. options.Select(it => (short)it)]);
    }

    /// <summary>int2vector and oidvector are stored plain: a length of four bytes, an array header, then the elements.</summary>
    private static long[]? Vector(RawRow row, ref int at, int size)
    {
        at = (at + 3) & ~3;
        if (!row.Reaches(at + VectorHeader))
            return null;
        var length = (int)(row.Oid(at) >> 2);
        var count = row.Int(at + 16);
        if (length < VectorHeader || count < 0 || count > 1600 || VectorHeader + (count * size) > length || !row.Reaches(at + length))
            return null;
        var elements = row.Rest(at + VectorHeader);
        var vector = new long[count];
        for (var i = 0; i < count; i++)
            vector[i] = size == 2 ? BinaryPrimitives.ReadInt16LittleEndian(elements[(i * 2)..]) : BinaryPrimitives.ReadUInt32LittleEndian(elements[(i * 4)..]);
        at += length;
        return vector;
    }
}
