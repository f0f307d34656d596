namespace Kintsugi.Pages.Heap;

/// <summary>What of pg_attribute decides where a column lies in a tuple. Dropped columns keep length and alignment.</summary>
/// <param name="Length">attlen: bytes, -1 for varlena, -2 for a C string.</param>
/// <param name="Alignment">attalign in bytes: 1, 2, 4 or 8.</param>
/// <param name="TypeId">atttypid; 0 for a dropped column.</param>
/// <param name="NotNull">Whether null is impossible (attnotnull).</param>
public readonly record struct HeapColumn(short Length, byte Alignment, uint TypeId = 0, bool NotNull = false)
{
    /// <summary>Whether the column was dropped (attisdropped clears atttypid).</summary>
    public bool IsDropped => TypeId == 0;

    /// <summary>Bytes of an attalign letter; an unknown letter counts as the strictest.</summary>
    public static byte AlignmentOf(char attalign) => attalign switch { 'c' => 1, 's' => 2, 'i' => 4, _ => 8 };
}
