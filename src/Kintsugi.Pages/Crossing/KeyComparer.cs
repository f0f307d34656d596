using System.Buffers.Binary;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Crossing;

/// <summary>Holds two entries of one btree against each other, as far as the order of its columns is known.</summary>
public sealed class KeyComparer(KeyPart[] parts, int keyColumns)
{
    private AttributeSlice[] leftSlices = new AttributeSlice[parts.Length];
    private AttributeSlice[] rightSlices = new AttributeSlice[parts.Length];
    private bool hasRight;
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
    /// <param name="isNext">The left one was the right one of the call before.</param>
    public int? Compare(ReadOnlySpan<byte> left, in EntryShape leftShape, ReadOnlySpan<byte> right, in EntryShape rightShape, bool isNext = false)
    {
        if (isNext && hasRight) (leftSlices, rightSlices) = (rightSlices, leftSlices);
        else if (!EntryKey.TryLocate(left, parts, leftShape.Attributes, leftSlices))
        {
            hasRight = false;
            return null;
        }
        hasRight = EntryKey.TryLocate(right, parts, rightShape.Attributes, rightSlices);
        if (!hasRight) return null;
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

    /// <summary>
    /// Whether the first columns alone put the left entry before the right one, without a search for the others: it stands behind the header when it
    /// is of fixed length and nothing is null. False says nothing.
    /// </summary>
    public bool IsPlainlyBefore(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        ref readonly var part = ref parts[0];
        var length = part.Stored.Length;
        if (length <= 0 || left.Length < KeyStart + length || right.Length < KeyStart + length || HasNulls(left) || HasNulls(right)) return false;
        var order = Values(left.Slice(KeyStart, length), right.Slice(KeyStart, length), part.Order);
        return part.IsDescending ? order > 0 : order < 0;
    }

    private const int KeyStart = 8;

    private static bool HasNulls(ReadOnlySpan<byte> entry) => (entry[7] & 0x80) != 0;

    /// <summary>Where the columns of the last right-hand entry lie; empty when they could not be found.</summary>
    public ReadOnlySpan<AttributeSlice> Right => hasRight ? rightSlices : default;

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
