using Kintsugi.Pages.Crossing;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>A row of pg_attribute, as far as it decides where values lie and what they are.</summary>
/// <param name="IsUndecided">It has a missing value that cannot be read here.</param>
internal sealed record RawColumn(uint Relation, int Number, HeapColumn Stored, uint Collation, byte[]? Missing, bool IsUndecided);

/// <summary>Where the columns of pg_attribute stand (pg_attribute.h of 13 to 18).</summary>
internal sealed class RawColumns(int major)
{
    private const int Type = 68;

    private static readonly HeapColumn Oid = new(4, 4, 26), Name = new(64, 1, 19), Int = new(4, 4, 23), Short = new(2, 2, 21),
        One = new(1, 1, 18), Varlena = new(-1, 4, 25);

    private readonly HeapColumn[] shape = Shape(major);

    /// <summary>Bytes of the columns that are read at fixed places.</summary>
    public int Width { get; } = Places(major).Collation + 4;

    private static (int Length, int Align, int HasMissing, int Dropped, int Collation) Places(int major) => major switch
    {
        13 => (76, 94, 97, 100, 108),
        14 or 15 => (76, 93, 98, 101, 108),
        16 => (72, 87, 92, 95, 104),
        17 => (72, 87, 92, 95, 100),
        _ => (72, 83, 88, 91, 96),
    };

    public RawColumn Read(RawRow row)
    {
        var at = Places(major);
        var stored = new HeapColumn(row.Short(at.Length), HeapColumn.AlignmentOf(row.Char(at.Align)),
            row.Bool(at.Dropped) ? 0 : row.Oid(Type));
        var hasMissing = row.Bool(at.HasMissing);
        var missing = hasMissing ? Missing(row.Tuple, stored) : null;
        return new RawColumn(row.Oid(0), row.Short(at.Length + 2), stored, row.Oid(at.Collation), missing, hasMissing && missing is null);
    }

    private byte[]? Missing(ReadOnlySpan<byte> tuple, HeapColumn column)
    {
        var slices = new AttributeSlice[shape.Length];
        var scratch = Array.Empty<byte>();
        return TupleReader.Deform(tuple, shape, slices) >= 0
            && slices[^1].Form is AttributeForm.Packed or AttributeForm.Plain or AttributeForm.Compressed
            && StoredValue.TryRead(tuple, slices[^1], new KeyPart(shape[^1], 0, KeyOrder.Unknown, false, false), ref scratch, out var array)
            ? MissingValue.Read(array, column)
            : null;
    }

    private static HeapColumn[] Shape(int major) =>
    [
        Oid, Name, Oid,
        .. major <= 15 ? [Int, Short, Short, Int, Int, Int] : major <= 17 ? [Short, Short, Int, Int, Short] : (HeapColumn[])[Short, Short, Int, Short],
        // attbyval to attislocal: one byte each, with attcompression since 14.
        .. Enumerable.Repeat(One, major == 13 ? 10 : 11),
        .. major <= 15 ? [Int, Oid] : major == 16 ? [Short, Short, Oid] : (HeapColumn[])[Short, Oid, Short],
        Varlena, Varlena, Varlena, Varlena,
    ];
}
