namespace Kintsugi.Pages.Indexes;

/// <summary>The special space of a GIN page (GinPageOpaqueData, ginblock.h).</summary>
/// <param name="Right">Right sibling, or 0xFFFFFFFF.</param>
/// <param name="Count">Entries of a page without line pointers; heap rows of a pending page.</param>
/// <param name="Flags">GIN_ bits.</param>
public readonly record struct GinPage(uint Right, int Count, ushort Flags)
{
    private const int KnownFlags = 0xFF;
    private const int NewestVersion = 2;
    private const int VersionAt = PageFormat.HeaderSize + 48;

    /// <summary>Whether the page belongs to the tree of one key's rows.</summary>
    public bool IsData => (Flags & 1) != 0;

    /// <summary>Whether entries lead to rows.</summary>
    public bool IsLeaf => (Flags & 2) != 0;

    /// <summary>Whether the page is out of use.</summary>
    public bool IsDeleted => (Flags & 4) != 0;

    /// <summary>Whether this is the metapage.</summary>
    public bool IsMeta => (Flags & 8) != 0;

    /// <summary>Whether the page belongs to the pending list.</summary>
    public bool IsPending => (Flags & 16) != 0;

    /// <summary>Whether rows are stored in packed lists.</summary>
    public bool IsCompressed => (Flags & 128) != 0;

    /// <summary>Reads the special space of a page whose pd_special is right.</summary>
    public static GinPage Read(ReadOnlySpan<byte> page)
    {
        var at = PageFormat.Size - 8;
        return new(LittleEndian.U32(page, at), LittleEndian.U16(page, at + 4), LittleEndian.U16(page, at + 6));
    }

    internal static void ReadInto(ReadOnlySpan<byte> page, in PageHeader header, uint block, IndexPageContent content)
    {
        var own = Read(page);
        if ((own.Flags & ~KnownFlags) != 0 || own.IsMeta != (block == 0) || own.IsPending && (own.IsData || own.IsLeaf)
            // Pages of entries are never deleted (ginvacuum.c); VACUUM would give one away that says so.
            || own is { IsDeleted: true, IsLeaf: true, IsData: false })
        {
            content.Add(FlawKind.PageFlagsImpossible, header.Special + 6, actual: own.Flags);
            return;
        }
        if (own.Right == block && !own.IsMeta) content.Add(FlawKind.LinkImpossible, header.Special, actual: block);
        content.Role = own.IsMeta ? IndexPageRole.Meta
            : own.IsDeleted ? IndexPageRole.Deleted
            : own.IsPending ? IndexPageRole.Pending
            : own.IsLeaf ? IndexPageRole.Leaf : IndexPageRole.Inner;
        switch (content.Role)
        {
            case IndexPageRole.Meta: ReadMeta(page, content); break;
            case IndexPageRole.Deleted: break;
            case var _ when own.IsData: GinPostingTree.Read(page, header, own, content); break;
            default: ReadItems(page, header, own, content); break;
        }
    }

    private static void ReadMeta(ReadOnlySpan<byte> page, IndexPageContent content)
    {
        var version = LittleEndian.U32(page, VersionAt);
        if (version > NewestVersion) content.Add(FlawKind.MetaVersionWrong, VersionAt, actual: version, expected: NewestVersion);
        var head = LittleEndian.U32(page, PageFormat.HeaderSize);
        if (head != Tid.NoBlock) content.AddChild(head, 0, PageFormat.HeaderSize);
    }

    private static void ReadItems(ReadOnlySpan<byte> page, in PageHeader header, in GinPage own, IndexPageContent content)
    {
        IndexItems.CheckSpace(page, header, content);
        for (var item = 1; item <= header.ItemCount; item++)
        {
            if (!IndexItems.TryGet(page, header, item, content, out var line)) continue;
            var tuple = IndexTuple.Read(page, line.Offset);
            if (tuple.Size != line.Length)
                content.Add(FlawKind.IndexTupleSizeWrong, line.Offset + 6, item, tuple.Size, line.Length);
            else if (own.IsPending) content.AddRow(tuple.Tid, item, line.Offset);
            else if (!own.IsLeaf) content.AddChild(tuple.Tid.Block, item, line.Offset);
            else GinPostings.ReadEntry(page, line, tuple, item, content);
        }
    }
}
