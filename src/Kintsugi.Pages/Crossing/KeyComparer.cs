using System.Buffers.Binary;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Crossing;

/// <summary>Holds two entries of one btree against each other, as far as the order of its columns is known.</summary>
public sealed class KeyComparer(KeyPart[] parts, int keyColumns)
{
    private readonly AttributeSlice[] leftSlices = new AttributeSlice[parts.Length];
    private readonly AttributeSlice[] rightSlices = new AttributeSlice[parts.Length];
    private byte[] leftScratch = [];
    private byte[] rightScratch = [];

    /// <summary>
    /// Negative, zero or positive; null where it cannot be decided. A column that was cut off is smaller than any value, and so is a place
    /// (_bt_compare in nbtsearch.c).
    /// </summary>
    /// <param name="left">An entry.</param>
    /// <param name="leftShape">What it is; of a posting list the last place counts.</param>
    /// <param name="right">Another one.</param>
    /// <param name="rightShape">What that is; of a posting list the first place counts.</param>
    public int? Compare(ReadOnlySpan<byte> left, in EntryShape leftShape, ReadOnlySpan<byte> right, in EntryShape rightShape)
    {
        if (!EntryKey.TryLocate(left, parts, leftShape.Attributes, leftSlices) || !EntryKey.TryLocate(right, parts, rightShape.Attributes, rightSlices))
            return null;
        for (var index = 0; index < keyColumns; index++)
        {
            if (index >= leftShape.Attributes) return index >= rightShape.Attributes ? 0 : -1;
            if (index >= rightShape.Attributes) return 1;
            if (Column(left, right, index) is not { } order) return null;
            if (order != 0) return order;
        }
        return (leftShape.Last, rightShape.First) switch
        {
            (null, null) => 0,
            (null, _) => -1,
            (_, null) => 1,
            ({ } one, { } other) => one.CompareTo(other),
        };
    }

    private int? Column(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, int index)
    {
        ref readonly var part = ref parts[index];
        var leftNull = leftSlices[index].Form == AttributeForm.Null;
        var rightNull = rightSlices[index].Form == AttributeForm.Null;
        if (leftNull || rightNull)
            return leftNull && rightNull ? 0 : leftNull == part.NullsFirst ? -1 : 1;
        if (!StoredValue.TryRead(left, leftSlices[index], part, ref leftScratch, out var one)
            || !StoredValue.TryRead(right, rightSlices[index], part, ref rightScratch, out var other))
            return null;
        return Values(one, other, part.Order) is { } order ? part.IsDescending ? -order : order : null;
    }

    /// <summary>Negative, zero or positive; null where the bytes do not tell.</summary>
    public static int? Values(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, KeyOrder order) => order switch
    {
        KeyOrder.Int16 => BinaryPrimitives.ReadInt16LittleEndian(left).CompareTo(BinaryPrimitives.ReadInt16LittleEndian(right)),
        KeyOrder.Int32 => BinaryPrimitives.ReadInt32LittleEndian(left).CompareTo(BinaryPrimitives.ReadInt32LittleEndian(right)),
        KeyOrder.Int64 => BinaryPrimitives.ReadInt64LittleEndian(left).CompareTo(BinaryPrimitives.ReadInt64LittleEndian(right)),
        KeyOrder.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(left).CompareTo(BinaryPrimitives.ReadUInt32LittleEndian(right)),
        KeyOrder.UInt64 => BinaryPrimitives.ReadUInt64LittleEndian(left).CompareTo(BinaryPrimitives.ReadUInt64LittleEndian(right)),
        KeyOrder.Byte => left[0].CompareTo(right[0]),
        KeyOrder.Float32 => Floats(BinaryPrimitives.ReadSingleLittleEndian(left), BinaryPrimitives.ReadSingleLittleEndian(right)),
        KeyOrder.Float64 => Floats(BinaryPrimitives.ReadDoubleLittleEndian(left), BinaryPrimitives.ReadDoubleLittleEndian(right)),
        KeyOrder.Bytes => left.SequenceCompareTo(right),
        KeyOrder.Numeric => NumericOrder.Compare(left, right),
        _ => left.SequenceEqual(right) ? 0 : null,
    };

    private static int Floats(double left, double right) =>
        double.IsNaN(left) ? double.IsNaN(right) ? 0 : 1 : double.IsNaN(right) ? -1 : left.CompareTo(right) is var order && left == right ? 0 : order;
}
