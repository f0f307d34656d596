namespace Kintsugi.Pages.Indexes;

/// <summary>
/// Reads every heap row that an index page points at, for the question that no server tool asks: does each index entry lead
/// to a heap slot that can be its row?
/// </summary>
public static class IndexTids
{
    /// <summary>Fills <paramref name="content"/> from one page; never throws whatever the bytes.</summary>
    /// <param name="kind">The index's access method by the catalog.</param>
    /// <param name="page">The whole page.</param>
    /// <param name="block">Its number within the index.</param>
    /// <param name="content">Receives role, rows, children and flaws; what it held before is dropped.</param>
    public static void Read(IndexKind kind, ReadOnlySpan<byte> page, uint block, IndexPageContent content)
    {
        content.Clear();
        PageHeader.Inspect(page, content.Flaws);
        if (content.Flaws.Count > 0) return;
        var header = PageHeader.Read(page);
        if (header.IsNew)
        {
            content.Role = IndexPageRole.New;
            return;
        }
        var special = PageFormat.Size - IndexKinds.SpecialSize(kind);
        if (header.Special != special)
        {
            content.Add(FlawKind.SpecialSpaceWrong, 16, actual: header.Special, expected: special);
            return;
        }
        switch (kind)
        {
            case IndexKind.Btree: BtreePage.ReadInto(page, header, block, content); break;
            case IndexKind.Gin: GinPage.ReadInto(page, header, block, content); break;
            case IndexKind.Gist: GistPage.ReadInto(page, header, block, content); break;
            case IndexKind.SpGist: SpGistPage.ReadInto(page, header, block, content); break;
            case IndexKind.Hash: HashPage.ReadInto(page, header, block, content); break;
            case IndexKind.Brin: BrinPage.ReadInto(page, header, block, content); break;
            default: content.Add(FlawKind.NotThisKind, special); break;
        }
    }
}
