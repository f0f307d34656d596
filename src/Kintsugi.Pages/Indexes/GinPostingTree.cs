namespace Kintsugi.Pages.Indexes;

/// <summary>Pages of the tree that holds one frequent key's rows: no line pointers, but arrays behind the right bound.</summary>
internal static class GinPostingTree
{
    // The page's right bound takes an aligned six bytes behind the header.
    private const int Start = PageFormat.HeaderSize + 8;
    private const int ChildSize = 10;

    /// <summary>Adds rows of a leaf or children of an inner page.</summary>
    public static void Read(ReadOnlySpan<byte> page, in PageHeader header, in GinPage own, IndexPageContent content)
    {
        if (own.IsLeaf && own.IsCompressed) ReadLists(page, header, content);
        else if (own.IsLeaf) ReadArray(page, header, own, content);
        else ReadChildren(page, header, own, content);
    }

    private static void ReadLists(ReadOnlySpan<byte> page, in PageHeader header, IndexPageContent content)
    {
        if (header.Lower < Start)
        {
            content.Add(FlawKind.LowerTooSmall, 12, actual: header.Lower, expected: Start);
            return;
        }
        Tid last = default;
        for (var at = Start; at < header.Lower;)
        {
            var before = content.Rows.Count;
            if (GinPostings.ReadList(page[at..header.Lower], 0, at, content, out var taken) < 0) return;
            if (content.Rows.Count > before)
            {
                if (content.Rows[before].Tid <= last) content.Add(FlawKind.PostingListOrder, at);
                last = content.Rows[^1].Tid;
            }
            at += taken;
        }
    }

    // Written before PostgreSQL 9.4 and kept by pg_upgrade.
    private static void ReadArray(ReadOnlySpan<byte> page, in PageHeader header, in GinPage own, IndexPageContent content)
    {
        if (Start + own.Count * Tid.Size > header.Special)
        {
            content.Add(FlawKind.PostingListImpossible, header.Special + 4, actual: own.Count, expected: header.Special - Start);
            return;
        }
        for (var index = 0; index < own.Count; index++)
            content.AddRow(Tid.Read(page, Start + index * Tid.Size), 0, Start + index * Tid.Size);
    }

    private static void ReadChildren(ReadOnlySpan<byte> page, in PageHeader header, in GinPage own, IndexPageContent content)
    {
        if (Start + own.Count * ChildSize > header.Special)
        {
            content.Add(FlawKind.OffsetImpossible, header.Special + 4, actual: own.Count,
                expected: (header.Special - Start) / ChildSize);
            return;
        }
        for (var index = 0; index < own.Count; index++)
        {
            var at = Start + index * ChildSize;
            content.AddChild(Tid.Read(page, at).Block, 0, at);
        }
    }
}
