namespace Kintsugi.Pages.Indexes;

/// <summary>The special space of a GiST page (GISTPageOpaqueData, gist.h).</summary>
/// <param name="SplitSequence">LSN of the latest split (NSN).</param>
/// <param name="Right">Right sibling, or 0xFFFFFFFF.</param>
/// <param name="Flags">F_ bits.</param>
/// <param name="Tag">0xFF81.</param>
public readonly record struct GistPage(ulong SplitSequence, uint Right, ushort Flags, ushort Tag)
{
    private const int KnownFlags = 0x1F;

    /// <summary>Whether entries lead to rows.</summary>
    public bool IsLeaf => (Flags & 1) != 0;

    /// <summary>Whether the page is out of use.</summary>
    public bool IsDeleted => (Flags & 2) != 0;

    /// <summary>Reads the special space of a page whose pd_special is right.</summary>
    public static GistPage Read(ReadOnlySpan<byte> page)
    {
        var at = PageFormat.Size - 16;
        return new(((ulong)LittleEndian.U32(page, at) << 32) | LittleEndian.U32(page, at + 4),
            LittleEndian.U32(page, at + 8), LittleEndian.U16(page, at + 12), LittleEndian.U16(page, at + 14));
    }

    internal static void ReadInto(ReadOnlySpan<byte> page, in PageHeader header, uint block, IndexPageContent content)
    {
        var own = Read(page);
        if (own.Tag != IndexKinds.GistTag)
        {
            content.Add(FlawKind.NotThisKind, header.Special + 14, actual: own.Tag, expected: IndexKinds.GistTag);
            return;
        }
        if ((own.Flags & ~KnownFlags) != 0)
            content.Add(FlawKind.PageFlagsImpossible, header.Special + 12, actual: own.Flags);
        content.Role = own.IsDeleted ? IndexPageRole.Deleted : own.IsLeaf ? IndexPageRole.Leaf : IndexPageRole.Inner;
        if (own.IsDeleted) return;
        if (own.Right == block) content.Add(FlawKind.LinkImpossible, header.Special + 8, actual: block);
        IndexItems.CheckSpace(page, header, content);
        for (var item = 1; item <= header.ItemCount; item++)
        {
            if (!IndexItems.TryGet(page, header, item, content, out var line)) continue;
            var tuple = IndexTuple.Read(page, line.Offset);
            if (tuple.Size != line.Length)
                content.Add(FlawKind.IndexTupleSizeWrong, line.Offset + 6, item, tuple.Size, line.Length);
            if (own.IsLeaf) content.AddRow(tuple.Tid, item, line.Offset, line.State == LinePointerState.Dead);
            else content.AddChild(tuple.Tid.Block, item, line.Offset);
        }
    }
}
