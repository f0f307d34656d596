namespace Kintsugi.Pages.Files;

/// <summary>The _vm fork: whether all tuples of each heap block are visible to everyone and frozen.</summary>
public static class VisibilityMap
{
    /// <summary>The bit for all-visible.</summary>
    public const int AllVisible = 1;

    /// <summary>The bit for all-frozen.</summary>
    public const int AllFrozen = 2;

    /// <summary>Heap blocks told by one page of the map.</summary>
    public const uint BlocksPerPage = (PageFormat.Size - PageFormat.HeaderSize) * 4;

    /// <summary>The page of the map that tells of a heap block.</summary>
    public static uint MapBlock(uint heapBlock) => heapBlock / BlocksPerPage;

    /// <summary>Byte on that page.</summary>
    public static int Offset(uint heapBlock) => PageFormat.HeaderSize + (int)(heapBlock % BlocksPerPage / 4);

    /// <summary>The two bits of a heap block.</summary>
    public static int Bits(ReadOnlySpan<byte> mapPage, uint heapBlock) =>
        (mapPage[Offset(heapBlock)] >> (int)(heapBlock % 4 * 2)) & 3;

    /// <summary>Adds what is impossible about a page of the map.</summary>
    /// <param name="page">The map's page.</param>
    /// <param name="mapBlock">Its number.</param>
    /// <param name="heapBlocks">Blocks of the heap: bits behind them are leftovers that VACUUM clears.</param>
    /// <param name="flaws">Receives the flaws.</param>
    public static void Inspect(ReadOnlySpan<byte> page, uint mapBlock, uint heapBlocks, ICollection<Flaw> flaws)
    {
        PageHeader.Inspect(page, flaws);
        if (page.Length != PageFormat.Size || PageHeader.Read(page).IsNew) return;
        for (var at = PageFormat.HeaderSize; at < PageFormat.Size; at++)
        {
            // All-frozen without all-visible: the higher bit of a pair without the lower.
            var wrong = (page[at] >> 1) & ~page[at] & 0x55;
            if (wrong == 0) continue;
            var pair = System.Numerics.BitOperations.TrailingZeroCount(wrong) / 2;
            var block = mapBlock * BlocksPerPage + (uint)((at - PageFormat.HeaderSize) * 4 + pair);
            if (block >= heapBlocks) return;
            flaws.Add(new Flaw(FlawKind.MapBitsImpossible, at, Actual: AllFrozen, Expected: block));
        }
    }
}
