namespace Kintsugi.Pages.Indexes;

/// <summary>The special space of a btree page (BTPageOpaqueData, nbtree.h).</summary>
/// <param name="Left">Left sibling, 0 for none.</param>
/// <param name="Right">Right sibling, 0 for none.</param>
/// <param name="Level">0 for leaves. Before PostgreSQL 14 a deleted page has a transaction id here.</param>
/// <param name="Flags">BTP_ bits.</param>
/// <param name="CycleId">The vacuum cycle of the latest split.</param>
public readonly record struct BtreePage(uint Left, uint Right, uint Level, ushort Flags, ushort CycleId)
{
    /// <summary>Magic number of the metapage.</summary>
    public const uint Magic = 0x053162;

    /// <summary>Byte where the metapage's data begins.</summary>
    public const int MetaStart = PageFormat.HeaderSize;

    private const int OldestVersion = 2;
    private const int NewestVersion = 4;
    private const int KnownFlags = 0x1FF;

    /// <summary>Whether entries lead to rows.</summary>
    public bool IsLeaf => (Flags & 1) != 0;

    /// <summary>Whether this is the root.</summary>
    public bool IsRoot => (Flags & 2) != 0;

    /// <summary>Whether the page is out of use.</summary>
    public bool IsDeleted => (Flags & 4) != 0;

    /// <summary>Whether this is the metapage.</summary>
    public bool IsMeta => (Flags & 8) != 0;

    /// <summary>Whether the page is empty and about to be deleted.</summary>
    public bool IsHalfDead => (Flags & 16) != 0;

    /// <summary>Item number of the first entry: the high key stands before it on all but the rightmost page.</summary>
    public int FirstEntry => Right == 0 ? 1 : 2;

    /// <summary>Reads the special space of a page whose pd_special is right.</summary>
    public static BtreePage Read(ReadOnlySpan<byte> page)
    {
        var at = PageFormat.Size - 16;
        return new(LittleEndian.U32(page, at), LittleEndian.U32(page, at + 4), LittleEndian.U32(page, at + 8),
            LittleEndian.U16(page, at + 12), LittleEndian.U16(page, at + 14));
    }

    internal static void ReadInto(ReadOnlySpan<byte> page, in PageHeader header, uint block, IndexPageContent content)
    {
        var own = Read(page);
        var at = header.Special;
        if ((own.Flags & ~KnownFlags) != 0 || own.IsMeta != (block == 0))
        {
            content.Add(FlawKind.PageFlagsImpossible, at + 12, actual: own.Flags);
            return;
        }
        if (own.IsMeta)
        {
            ReadMeta(page, content);
            return;
        }
        if (own.IsDeleted || own.IsHalfDead)
        {
            content.Role = IndexPageRole.Deleted;
            return;
        }
        content.Role = own.IsLeaf ? IndexPageRole.Leaf : IndexPageRole.Inner;
        if (own.IsLeaf != (own.Level == 0) || own.Level > 64)
            content.Add(FlawKind.LevelImpossible, at + 8, actual: own.Level);
        if (own.Left == block || own.Right == block)
            content.Add(FlawKind.LinkImpossible, at, actual: block);
        if (header.ItemCount < own.FirstEntry - 1)
            content.Add(FlawKind.OffsetImpossible, 12, actual: header.ItemCount, expected: own.FirstEntry - 1);
        IndexItems.CheckSpace(page, header, content);
        for (var item = 1; item <= header.ItemCount; item++) ReadItem(page, header, own, item, content);
    }

    private static void ReadMeta(ReadOnlySpan<byte> page, IndexPageContent content)
    {
        content.Role = IndexPageRole.Meta;
        var magic = LittleEndian.U32(page, MetaStart);
        var version = LittleEndian.U32(page, MetaStart + 4);
        if (magic != Magic) content.Add(FlawKind.MetaMagicWrong, MetaStart, actual: magic, expected: Magic);
        if (version is < OldestVersion or > NewestVersion)
            content.Add(FlawKind.MetaVersionWrong, MetaStart + 4, actual: version, expected: NewestVersion);
        var root = LittleEndian.U32(page, MetaStart + 8);
        if (root != 0) content.AddChild(root, 0, MetaStart + 8);
    }

    private static void ReadItem(
        ReadOnlySpan<byte> page, in PageHeader header, in BtreePage own, int item, IndexPageContent content)
    {
        if (!IndexItems.TryGet(page, header, item, content, out var line)) return;
        var tuple = IndexTuple.Read(page, line.Offset);
        if (tuple.Size != line.Length)
            content.Add(FlawKind.IndexTupleSizeWrong, line.Offset + 6, item, tuple.Size, line.Length);
        if (item < own.FirstEntry) return;
        var killed = line.State == LinePointerState.Dead;
        if (!own.IsLeaf) content.AddChild(tuple.Tid.Block, item, line.Offset);
        else if (!tuple.IsReserved) content.AddRow(tuple.Tid, item, line.Offset, killed);
        else if ((tuple.Tid.Item & 0x2000) != 0) BtreePostings.Read(page, line, tuple, item, content);
        else content.Add(FlawKind.IndexTupleFlags, line.Offset + 6, item, tuple.Info);
    }
}
