namespace Kintsugi.Pages.Indexes;

/// <summary>The special space of a BRIN page (brin_page.h). BRIN points at block ranges, never at rows.</summary>
/// <param name="Flags">1 while the page is emptied.</param>
/// <param name="Tag">What the page is.</param>
public readonly record struct BrinPage(ushort Flags, ushort Tag)
{
    /// <summary>Magic number of the metapage.</summary>
    public const uint Magic = 0xA8109CFA;

    /// <summary>Entries of a range map page.</summary>
    public const int MapEntries = (PageFormat.Size - PageFormat.HeaderSize - 8) / Tid.Size;

    internal const ushort MetaTag = 0xF091;
    internal const ushort MapTag = 0xF092;
    internal const ushort RegularTag = 0xF093;

    /// <summary>Reads the special space of a page whose pd_special is right.</summary>
    public static BrinPage Read(ReadOnlySpan<byte> page) =>
        new(LittleEndian.U16(page, PageFormat.Size - 4), LittleEndian.U16(page, PageFormat.Size - 2));

    /// <summary>Heap blocks in one range, by the metapage.</summary>
    public static uint PagesPerRange(ReadOnlySpan<byte> meta) => LittleEndian.U32(meta, PageFormat.HeaderSize + 8);

    internal static void ReadInto(ReadOnlySpan<byte> page, in PageHeader header, uint block, IndexPageContent content)
    {
        var tag = Read(page).Tag;
        content.Role = tag switch
        {
            MetaTag when block == 0 => IndexPageRole.Meta,
            MapTag => IndexPageRole.Map,
            RegularTag => IndexPageRole.Leaf,
            _ => IndexPageRole.Impossible,
        };
        if (content.Role == IndexPageRole.Impossible)
            content.Add(FlawKind.NotThisKind, header.Special + 6, actual: tag, expected: block == 0 ? MetaTag : RegularTag);
        else if (content.Role == IndexPageRole.Meta) ReadMeta(page, content);
        else if (content.Role == IndexPageRole.Map) ReadMap(page, content);
        else ReadSummaries(page, header, content);
    }

    private static void ReadMeta(ReadOnlySpan<byte> page, IndexPageContent content)
    {
        var magic = LittleEndian.U32(page, PageFormat.HeaderSize);
        if (magic != Magic) content.Add(FlawKind.MetaMagicWrong, PageFormat.HeaderSize, actual: magic, expected: Magic);
        if (PagesPerRange(page) is 0 or > PageFormat.BlocksPerSegment)
            content.Add(FlawKind.OffsetImpossible, PageFormat.HeaderSize + 8, actual: PagesPerRange(page),
                expected: PageFormat.BlocksPerSegment);
    }

    // Each entry is the place of one range's summary within the index; a zero item says that there is none.
    private static void ReadMap(ReadOnlySpan<byte> page, IndexPageContent content)
    {
        for (var index = 0; index < MapEntries; index++)
        {
            var at = PageFormat.HeaderSize + index * Tid.Size;
            var tid = Tid.Read(page, at);
            if (tid.Item == 0) continue;
            if (!tid.IsPossible || tid.Block == 0)
                content.Add(FlawKind.LinkImpossible, at, actual: tid.Block);
            else content.AddChild(tid.Block, 0, at, tid.Item);
        }
    }

    private static void ReadSummaries(ReadOnlySpan<byte> page, in PageHeader header, IndexPageContent content)
    {
        IndexItems.CheckSpace(page, header, content);
        for (var item = 1; item <= header.ItemCount; item++)
        {
            if (!IndexItems.TryGet(page, header, item, content, out var line, mayBeUnused: true)) continue;
            var start = page[line.Offset + 4] & 0x1F;
            if (start < 5 || start > line.Length)
                content.Add(FlawKind.OffsetImpossible, line.Offset + 4, item, start, line.Length);
        }
    }
}
