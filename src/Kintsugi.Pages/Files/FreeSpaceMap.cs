namespace Kintsugi.Pages.Files;

/// <summary>
/// The _fsm fork: a tree of bytes on each page, each inner node the larger of its children (fsmpage.c). Only a hint: the
/// server corrects it while using it, and after a crash it may be wrong without anything being damaged.
/// </summary>
public static class FreeSpaceMap
{
    /// <summary>Byte where the nodes begin, behind fp_next_slot.</summary>
    public const int NodesStart = PageFormat.HeaderSize + 4;

    /// <summary>Nodes on a page.</summary>
    public const int Nodes = PageFormat.Size - NodesStart;

    /// <summary>Inner nodes on a page.</summary>
    public const int InnerNodes = PageFormat.Size / 2 - 1;

    /// <summary>Leaves on a page: heap blocks, or pages of the level below.</summary>
    public const int Slots = Nodes - InnerNodes;

    private const int Depth = 3;
    private const int BytesPerStep = PageFormat.Size / 256;

    /// <summary>The page of the map whose leaf tells of a heap block.</summary>
    public static uint MapBlock(uint heapBlock)
    {
        var leaf = heapBlock / Slots;
        var pages = 0u;
        for (var level = 0; level < Depth; level++, leaf /= Slots) pages += leaf + 1;
        return pages - 1;
    }

    /// <summary>Byte on that page.</summary>
    public static int Offset(uint heapBlock) => NodesStart + InnerNodes + (int)(heapBlock % Slots);

    /// <summary>Bytes free on the heap block, at least, by its leaf.</summary>
    public static int FreeSpace(ReadOnlySpan<byte> mapPage, uint heapBlock) => mapPage[Offset(heapBlock)] * BytesPerStep;

    /// <summary>Adds what is impossible about the header, and the first node that is not the larger of its children.</summary>
    public static void Inspect(ReadOnlySpan<byte> page, ICollection<Flaw> flaws)
    {
        PageHeader.Inspect(page, flaws);
        if (page.Length != PageFormat.Size || PageHeader.Read(page).IsNew) return;
        var nodes = page[NodesStart..];
        for (var node = InnerNodes - 1; node >= 0; node--)
        {
            var left = node * 2 + 1 < Nodes ? nodes[node * 2 + 1] : (byte)0;
            var right = node * 2 + 2 < Nodes ? nodes[node * 2 + 2] : (byte)0;
            if (nodes[node] == Math.Max(left, right)) continue;
            flaws.Add(new Flaw(FlawKind.FreeSpaceTree, NodesStart + node, Actual: nodes[node], Expected: Math.Max(left, right)));
            return;
        }
    }
}
