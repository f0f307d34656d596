using System.Globalization;
using System.Text;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Pages.Values;

/// <summary>An array as it is stored: dimensions, lower bounds, a null bitmap where there are nulls, elements (array.h).</summary>
internal static class ArrayText
{
    private const int HeaderSize = 16, MostDimensions = 6;

    public static string? Of(ReadOnlySpan<byte> data, DatumType element, EnumLabel labels)
    {
        // Places within an array count from its varlena header, which alignment needs back.
        var array = new byte[data.Length + 4];
        data.CopyTo(array.AsSpan(4));
        var count = LittleEndian.I32(array, 4);
        if (count == 0)
            return "{}";
        if (count is < 0 or > MostDimensions)
            return null;
        var sizes = new int[count];
        var bounds = new StringBuilder();
        var total = 1;
        for (var i = 0; i < count; i++)
        {
            sizes[i] = LittleEndian.I32(array, HeaderSize + 4 * i);
            var lower = LittleEndian.I32(array, HeaderSize + 4 * (count + i));
            bounds.Append(CultureInfo.InvariantCulture, $"[{lower}:{lower + sizes[i] - 1}]");
            total = checked(total * sizes[i]);
        }
        return Elements(array, count, total, element, labels) is { } texts ? $"{bounds}={Nested(texts, sizes, 0, 0, total)}" : null;
    }

    private static string[]? Elements(byte[] array, int dimensions, int total, DatumType element, EnumLabel labels)
    {
        var bitmap = HeaderSize + 8 * dimensions;
        var start = LittleEndian.I32(array, 8);
        var at = start == 0 ? PageFormat.Align(bitmap) : start;
        var column = new HeapColumn(element.Length, element.Alignment, 1);
        if (total < 0 || total > array.Length * 8L)
            return null;
        var texts = new string[total];
        for (var i = 0; i < total; i++)
        {
            if (start != 0 && (array[bitmap + i / 8] & (1 << (i % 8))) == 0)
            {
                texts[i] = "NULL";
                continue;
            }
            if (!TupleReader.Locate(array, column, at, out var slice, out _)
                || slice.Form is not (AttributeForm.Fixed or AttributeForm.Plain or AttributeForm.Packed or AttributeForm.CString)
                || DatumText.Of(slice.Data(array), element, labels) is not { } text)
                return null;
            texts[i] = $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
            at = slice.End;
        }
        return texts;
    }

    private static string Nested(string[] texts, int[] sizes, int depth, int from, int length)
    {
        if (depth == sizes.Length)
            return texts[from];
        var each = length / sizes[depth];
        return $"{{{string.Join(',', Enumerable.Range(0, sizes[depth]).Select(i => Nested(texts, sizes, depth + 1, from + i * each, each)))}}}";
    }
}
