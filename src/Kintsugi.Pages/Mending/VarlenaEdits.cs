using System.Buffers.Binary;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Mending;

/// <summary>
/// Lengths that a value may have had. A tuple ends exactly with its last column, so the length of the last one is arithmetic; that of
/// another is the one with which the columns behind it still fit.
/// </summary>
internal static class VarlenaEdits
{
    /// <summary>Adds every length of every varlena column with which the tuple can be read to its exact end.</summary>
    public static void Add(ReadOnlySpan<byte> tuple, int at, int item, HeapColumn[] columns, bool hasToast, List<Edit> edits)
    {
        var head = HeapTupleHeader.Read(tuple);
        if (head.DataStart != head.ExpectedDataStart || head.DataStart > tuple.Length || head.AttributeCount > columns.Length) return;
        var slices = new AttributeSlice[columns.Length];
        if (TupleReader.Deform(tuple, columns, slices) == tuple.Length) return;
        var place = head.DataStart;
        var last = LastStored(tuple, head);
        for (var index = 0; index < head.AttributeCount; index++)
        {
            if (head.IsNull(tuple, index)) continue;
            if (columns[index].Length == -1)
                Lengths(tuple.ToArray(), new Place(at, place, item, index, index == last), columns, hasToast, edits);
            if (slices[index].Form == AttributeForm.Unreadable) return;
            place = slices[index].End;
        }
    }

    // Every header that the value may have had: packed, plain, and where the table has a TOAST table compressed and external.
    private static void Lengths(byte[] tuple, in Place value, HeapColumn[] columns, bool hasToast, List<Edit> edits)
    {
        var aligned = columns[value.Column].Alignment <= 1
            ? value.At : (value.At + columns[value.Column].Alignment - 1) & -columns[value.Column].Alignment;
        for (var length = 1; length <= 127 && value.At + length <= tuple.Length; length++)
            Try(tuple, value, value.At, [(byte)(length << 1 | 1)], length, columns, edits);
        for (var length = 4; aligned + length <= tuple.Length; length++)
            for (var form = 0u; form <= (hasToast ? 2u : 0u); form += 2)
            {
                var word = new byte[4];
                BinaryPrimitives.WriteUInt32LittleEndian(word, (uint)length << 2 | form);
                Try(tuple, value, aligned, word, length, columns, edits);
            }
        if (hasToast) Try(tuple, value, value.At, [1, ToastPointer.DiskTag], ToastPointer.Size, columns, edits);
    }

    private static void Try(
        byte[] tuple, in Place value, int start, byte[] header, int length, HeapColumn[] columns, List<Edit> edits)
    {
        if (start + header.Length > tuple.Length || value.IsLast && start + length != tuple.Length) return;
        var old = tuple.AsSpan(start, header.Length).ToArray();
        header.CopyTo(tuple, start);
        if (TupleReader.Deform(tuple, columns, new AttributeSlice[columns.Length]) == tuple.Length
            && !(IsInline(header) && IsText(columns[value.Column].TypeId) && tuple.AsSpan(start + header.Length, length - header.Length).Contains((byte)0)))
            edits.Add(new Edit(value.Tuple + start, header, $"column {value.Column + 1} of line pointer {value.Item} has {length} bytes")
            {
                Basis = value.IsLast ? Basis.Arithmetic : Basis.Testimony,
                Witnesses = [new Witness("tuple-end", true, "with this length every column fits and the last one ends with the tuple")],
            });
        old.CopyTo(tuple, start);
    }

    // Neither compressed nor a pointer: those have bytes of their own.
    private static bool IsInline(byte[] header) => header.Length == 1 || header.Length == 4 && (header[0] & 3) == 0;

    // No encoding of a server has a zero byte within text, so a length that takes in one of the next column is not it.
    private static bool IsText(uint type) => type is 25 or 1042 or 1043 or 114;

    private readonly record struct Place(int Tuple, int At, int Item, int Column, bool IsLast);

    private static int LastStored(ReadOnlySpan<byte> tuple, in HeapTupleHeader head)
    {
        var last = -1;
        for (var index = 0; index < head.AttributeCount; index++)
            if (!head.IsNull(tuple, index)) last = index;
        return last;
    }
}
