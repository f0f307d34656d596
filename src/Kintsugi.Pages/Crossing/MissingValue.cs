using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Crossing;

/// <summary>The one element of an attmissingval: what rows have that are older than their column.</summary>
public static class MissingValue
{
    private const int FirstElement = 20;

    /// <param name="array">The array without its varlena header (array.h).</param>
    /// <param name="column">The column whose value it is.</param>
    /// <returns>The value without a varlena header; null when it is no array of one plain element.</returns>
    public static byte[]? Read(ReadOnlySpan<byte> array, in HeapColumn column)
    {
        if (array.Length <= FirstElement || LittleEndian.I32(array, 0) != 1 || LittleEndian.I32(array, 4) != 0) return null;
        var element = array[FirstElement..];
        return TupleReader.Locate(element, column, 0, out var slice, out _)
            && slice.Form is AttributeForm.Fixed or AttributeForm.CString or AttributeForm.Packed or AttributeForm.Plain
            ? slice.Data(element).ToArray()
            : null;
    }
}
