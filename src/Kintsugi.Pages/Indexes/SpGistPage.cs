namespace Kintsugi.Pages.Indexes;

/// <summary>The special space of an SP-GiST page (SpGistPageOpaqueData, spgist_private.h).</summary>
/// <param name="Flags">SPGIST_ bits.</param>
/// <param name="Redirections">How many redirects stand on the page.</param>
/// <param name="Placeholders">How many placeholders stand on the page.</param>
/// <param name="Tag">0xFF82.</param>
public readonly record struct SpGistPage(ushort Flags, int Redirections, int Placeholders, ushort Tag)
{
    /// <summary>Magic number of the metapage.</summary>
    public const uint Magic = 0xBA0BABEE;

    private const int KnownFlags = 0xF;
    private const int Live = 0;
    private const int Redirect = 1;
    private const int Placeholder = 3;

    /// <summary>Whether this is the metapage.</summary>
    public bool IsMeta => (Flags & 1) != 0;

    /// <summary>Whether entries lead to rows.</summary>
    public bool IsLeaf => (Flags & 4) != 0;

    /// <summary>Reads the special space of a page whose pd_special is right.</summary>
    public static SpGistPage Read(ReadOnlySpan<byte> page)
    {
        var at = PageFormat.Size - 8;
        return new(LittleEndian.U16(page, at), LittleEndian.U16(page, at + 2),
            LittleEndian.U16(page, at + 4), LittleEndian.U16(page, at + 6));
    }

    internal static void ReadInto(ReadOnlySpan<byte> page, in PageHeader header, uint block, IndexPageContent content)
    {
        var own = Read(page);
        if (own.Tag != IndexKinds.SpGistTag)
        {
            content.Add(FlawKind.NotThisKind, header.Special + 6, actual: own.Tag, expected: IndexKinds.SpGistTag);
            return;
        }
        if ((own.Flags & ~KnownFlags) != 0 || own.IsMeta != (block == 0))
        {
            content.Add(FlawKind.PageFlagsImpossible, header.Special, actual: own.Flags);
            return;
        }
        if (own.IsMeta)
        {
            content.Role = IndexPageRole.Meta;
            var magic = LittleEndian.U32(page, PageFormat.HeaderSize);
            if (magic != Magic) content.Add(FlawKind.MetaMagicWrong, PageFormat.HeaderSize, actual: magic, expected: Magic);
            return;
        }
        content.Role = (own.Flags & 2) != 0 ? IndexPageRole.Deleted : own.IsLeaf ? IndexPageRole.Leaf : IndexPageRole.Inner;
        if (content.Role == IndexPageRole.Deleted) return;
        IndexItems.CheckSpace(page, header, content);
        var redirections = 0;
        var placeholders = 0;
        for (var item = 1; item <= header.ItemCount; item++)
        {
            var state = ReadItem(page, header, own, item, content);
            if (state == Redirect) redirections++;
            if (state == Placeholder) placeholders++;
        }
        if (redirections != own.Redirections)
            content.Add(FlawKind.OffsetImpossible, header.Special + 2, actual: own.Redirections, expected: redirections);
        if (placeholders != own.Placeholders)
            content.Add(FlawKind.OffsetImpossible, header.Special + 4, actual: own.Placeholders, expected: placeholders);
    }

    private static int ReadItem(
        ReadOnlySpan<byte> page, in PageHeader header, in SpGistPage own, int item, IndexPageContent content)
    {
        if (!IndexItems.TryGet(page, header, item, content, out var line)) return -1;
        var word = LittleEndian.U32(page, line.Offset);
        var state = (int)(word & 3);
        if (!own.IsLeaf && state == Live) return state;
        var size = (int)(word >> 2);
        if (size != line.Length || line.Length < 16)
            content.Add(FlawKind.IndexTupleSizeWrong, line.Offset, item, size, line.Length);
        else if (own.IsLeaf && state == Live) content.AddRow(Tid.Read(page, line.Offset + 6), item, line.Offset + 6);
        return state;
    }
}
