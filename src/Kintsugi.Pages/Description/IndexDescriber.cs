using Kintsugi.Pages.Indexes;

namespace Kintsugi.Pages.Description;

/// <summary>The special space and the pointers of an index page.</summary>
internal static class IndexDescriber
{
    public static void Describe(
        ReadOnlySpan<byte> page, in PageHeader header, PageSubject subject, List<PageField> parts, List<Flaw> flaws)
    {
        var kind = subject.Index == IndexKind.None ? IndexKinds.Detect(page) : subject.Index;
        var content = new IndexPageContent();
        IndexTids.Read(kind, page, subject.Block, content);
        flaws.AddRange(content.Flaws);
        var size = IndexKinds.SpecialSize(kind);
        var special = new PageField("special", PageFormat.Size - size, size, $"{content.Role}")
        {
            Fields = header.Special == PageFormat.Size - size ? Special(kind, page) : [],
            Wrong = PageDescriber.WrongAt(flaws, PageFormat.Size - size, size),
        };
        parts.Add(special);
        // Posting trees, metapages and maps have arrays where others have line pointers.
        var hasItems = content.Role is not (IndexPageRole.Meta or IndexPageRole.Map) && header.IsPossible
            && !(kind == IndexKind.Gin && GinPage.Read(page).IsData);
        if (hasItems)
        {
            for (var item = 1; item <= header.ItemCount; item++) parts.Add(Item(page, item, content, flaws));
            return;
        }
        if (content.Children.Count > 0) parts.Add(Group("children", content.Children));
        if (content.Rows.Count > 0) parts.Add(Group("rows", content.Rows));
    }

    private static PageField Group(string name, List<IndexEntry> entries) => new(name, -1, 0, $"{entries.Count}")
    {
        Fields = [.. entries.Select(entry => new PageField("to", entry.At, Tid.Size, $"{entry.Tid}"))],
    };

    private static PageField Item(ReadOnlySpan<byte> page, int item, IndexPageContent content, List<Flaw> flaws)
    {
        var line = LinePointer.Read(page, item);
        var rows = content.Rows.Where(row => row.Item == item).Select(row => $"{row.Tid}").ToArray();
        var children = content.Children.Where(child => child.Item == item).Select(child => $"block {child.Tid.Block}");
        var leads = string.Join(' ', rows.Take(20).Concat(children)) + (rows.Length > 20 ? $" … {rows.Length} rows" : "");
        var killed = line.State == LinePointerState.Dead ? ", killed" : "";
        return new PageField($"item {item}", LinePointer.Position(item), PageFormat.LinePointerSize,
            $"{line.Length} bytes at {line.Offset}{killed}{(leads.Length > 0 ? " -> " + leads : "")}")
        {
            Wrong = PageDescriber.WrongWith(flaws, item),
        };
    }

    private static List<PageField> Special(IndexKind kind, ReadOnlySpan<byte> page)
    {
        const int At16 = PageFormat.Size - 16, At8 = PageFormat.Size - 8;
        switch (kind)
        {
            case IndexKind.Btree:
                var btree = BtreePage.Read(page);
                return [new("btpo_prev", At16, 4, $"{btree.Left}"), new("btpo_next", At16 + 4, 4, $"{btree.Right}"),
                    new("btpo_level", At16 + 8, 4, $"{btree.Level}"), new("btpo_flags", At16 + 12, 2, $"0x{btree.Flags:X4}"),
                    new("btpo_cycleid", At16 + 14, 2, $"{btree.CycleId}")];
            case IndexKind.Gist:
                var gist = GistPage.Read(page);
                return [new("nsn", At16, 8, $"{gist.SplitSequence:X}"), new("rightlink", At16 + 8, 4, $"{gist.Right}"),
                    new("flags", At16 + 12, 2, $"0x{gist.Flags:X4}"), new("gist_page_id", At16 + 14, 2, $"0x{gist.Tag:X4}")];
            case IndexKind.Hash:
                var hash = HashPage.Read(page);
                return [new("hasho_prevblkno", At16, 4, $"{hash.Previous}"), new("hasho_nextblkno", At16 + 4, 4, $"{hash.Next}"),
                    new("hasho_bucket", At16 + 8, 4, $"{hash.Bucket}"), new("hasho_flag", At16 + 12, 2, $"0x{hash.Flags:X4}"),
                    new("hasho_page_id", At16 + 14, 2, $"0x{hash.Tag:X4}")];
            case IndexKind.Gin:
                var gin = GinPage.Read(page);
                return [new("rightlink", At8, 4, $"{gin.Right}"), new("maxoff", At8 + 4, 2, $"{gin.Count}"),
                    new("flags", At8 + 6, 2, $"0x{gin.Flags:X4}")];
            case IndexKind.SpGist:
                var spgist = SpGistPage.Read(page);
                return [new("flags", At8, 2, $"0x{spgist.Flags:X4}"),
                    new("nRedirection", At8 + 2, 2, $"{spgist.Redirections}"),
                    new("nPlaceholder", At8 + 4, 2, $"{spgist.Placeholders}"),
                    new("spgist_page_id", At8 + 6, 2, $"0x{spgist.Tag:X4}")];
            case IndexKind.Brin:
                var brin = BrinPage.Read(page);
                return [new("flags", At8 + 4, 2, $"0x{brin.Flags:X4}"), new("type", At8 + 6, 2, $"0x{brin.Tag:X4}")];
            default: return [];
        }
    }
}
