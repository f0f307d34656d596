using Kintsugi.Pages.Files;

namespace Kintsugi.Pages.Description;

/// <summary>Pages of the two maps, and sequences.</summary>
internal static class MapDescriber
{
    public static void Visibility(ReadOnlySpan<byte> page, PageSubject subject, List<PageField> parts, List<Flaw> flaws)
    {
        VisibilityMap.Inspect(page, subject.Block, uint.MaxValue, flaws);
        int visible = 0, frozen = 0;
        for (var block = 0u; block < VisibilityMap.BlocksPerPage; block++)
        {
            var bits = VisibilityMap.Bits(page, block);
            visible += bits & VisibilityMap.AllVisible;
            frozen += bits >> 1;
        }
        var first = (ulong)subject.Block * VisibilityMap.BlocksPerPage;
        parts.Add(new PageField("first heap block", -1, 0, $"{first}"));
        parts.Add(new PageField("all-visible blocks", PageFormat.HeaderSize, 0, $"{visible}"));
        parts.Add(new PageField("all-frozen blocks", PageFormat.HeaderSize, 0, $"{frozen}")
        {
            Wrong = PageDescriber.WrongAt(flaws, PageFormat.HeaderSize, PageFormat.Size),
        });
    }

    public static void FreeSpace(ReadOnlySpan<byte> page, List<PageField> parts, List<Flaw> flaws)
    {
        FreeSpaceMap.Inspect(page, flaws);
        parts.Add(new PageField("fp_next_slot", PageFormat.HeaderSize, 4, $"{LittleEndian.I32(page, PageFormat.HeaderSize)}"));
        parts.Add(new PageField("root node", FreeSpaceMap.NodesStart, 1, $"{page[FreeSpaceMap.NodesStart]}")
        {
            Wrong = PageDescriber.WrongAt(flaws, FreeSpaceMap.NodesStart, FreeSpaceMap.Nodes),
        });
        var leaves = page.Slice(FreeSpaceMap.NodesStart + FreeSpaceMap.InnerNodes, FreeSpaceMap.Slots);
        parts.Add(new PageField("slots with free space", FreeSpaceMap.NodesStart + FreeSpaceMap.InnerNodes, FreeSpaceMap.Slots,
            $"{leaves.Length - leaves.Count((byte)0)}"));
    }

    public static void Sequence(ReadOnlySpan<byte> page, List<PageField> parts, List<Flaw> flaws)
    {
        if (SequencePage.Read(page, flaws) is not { } sequence) return;
        var at = LinePointer.Read(page, 1).Offset + Heap.HeapTupleHeader.MinimumSize;
        parts.Add(new PageField("last_value", at, 8, $"{sequence.LastValue}"));
        parts.Add(new PageField("log_cnt", at + 8, 8, $"{sequence.LogCount}"));
        parts.Add(new PageField("is_called", at + 16, 1, sequence.IsCalled ? "true" : "false"));
    }
}
