namespace Kintsugi.Pages.Heap;

/// <summary>Whether bytes can be an array (array.h): dimensions, elements' type, a bitmap of nulls if there are any, elements.</summary>
internal static class ArrayValues
{
    private const int Header = 12, MostDimensions = 6;

    /// <param name="value">Without its length word, from which the offsets in it count.</param>
    /// <param name="element">Its elements' type by the catalog.</param>
    /// <param name="length">Bytes of one element; -1 for varlena, which take one at least.</param>
    public static bool IsPossible(ReadOnlySpan<byte> value, uint element, int length)
    {
        if (value.Length < Header || LittleEndian.I32(value, 0) is not (>= 0 and <= MostDimensions and var dimensions)) return false;
        if (LittleEndian.U32(value, 8) != element) return false;
        var at = Header + (dimensions * 8);
        if (value.Length < at) return false;
        var elements = dimensions == 0 ? 0L : 1L;
        for (var dimension = 0; dimension < dimensions; dimension++)
        {
            var size = LittleEndian.I32(value, Header + (dimension * 4));
            if (size < 0 || (elements *= size) > int.MaxValue) return false;
        }
        var offset = LittleEndian.I32(value, 4);
        // Nulls take no bytes, so that with a bitmap only the bitmap must fit.
        if (offset != 0) return offset - 4 >= at + ((elements + 7) / 8) && offset - 4 <= value.Length;
        return elements * Math.Max(length, 1) <= value.Length - at;
    }
}
