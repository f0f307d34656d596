using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>
/// Walks a btree level by level along its sibling links, as nothing changes it: links in both directions, levels, separators against the downlinks
/// of the level above, the order of keys within and between pages, and pages that no level leads to.
/// </summary>
internal sealed class TreeWalk(IndexSide index, Func<PageStream> open, long blocks, bool checksums, EntrySide entries, Suspicions suspicions)
{
    private const int NewestVersion = 4;

    private readonly System.Collections.BitArray met = new(checked((int)blocks));
    private readonly IndexPageContent content = new();
    private readonly PageOrder order = new(index);

    public async ValueTask Run(CancellationToken cancellationToken)
    {
        using var stream = open();
        if (await Meta(stream, cancellationToken) is not var (root, level) || root == 0)
            return;
        var first = root;
        for (var parents = 0u; level >= 0 && !index.IsBroken; level--)
        {
            var child = await Level(stream, first, (uint)level, parents, cancellationToken);
            parents = first;
            first = child;
        }
        if (!index.IsBroken)
            await Strays(cancellationToken);
    }

    private async ValueTask<(uint Root, int Level)?> Meta(PageStream stream, CancellationToken cancellationToken)
    {
        var page = await stream.Read(0, cancellationToken);
        if (page.IsEmpty)
            return Broken(0, "its file is empty; every btree has a first page");
        if (IndexLevels.Read(page.Span, 0, checksums, content) is { } flaw)
            return Broken(0, flaw);
        met[0] = true;
        var version = BitConverter.ToUInt32(page.Span[(BtreePage.MetaStart + 4)..]);
        var root = BitConverter.ToUInt32(page.Span[(BtreePage.MetaStart + 8)..]);
        var level = BitConverter.ToUInt32(page.Span[(BtreePage.MetaStart + 12)..]);
        if (version < NewestVersion)
        {
            index.Doubt = $"{index.Index.Relation.Name} has the format of PostgreSQL 11 or older: its keys' order is not examined here";
            await Scan(cancellationToken);
            return null;
        }
        return root >= blocks || level > 64 ? Broken(0, $"its root is page {root} of level {level}, and the file has {blocks} pages") : (root, (int)level);
    }

    /// <returns>The leftmost page of the level below.</returns>
    private async ValueTask<uint> Level(PageStream stream, uint first, uint level, uint parents, CancellationToken cancellationToken)
    {
        using var above = parents == 0 ? null : open();
        var downlinks = above is null ? null : new PivotCursor(above, parents, checksums);
        if (downlinks is not null)
            await downlinks.Move(blocks, cancellationToken);
        var (left, leftmostChild, isSplit) = (0u, 0u, false);
        order.BeginLevel();
        for (var block = first; block != 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (block >= blocks || met[(int)block])
                return Fail(block, block >= blocks ? $"page {left} leads to page {block}, and the file has {blocks} pages"
                    : $"page {left} leads to page {block}, which was passed before");
            met[(int)block] = true;
            var page = await stream.Read(block, cancellationToken);
            if (page.IsEmpty || IndexLevels.Read(page.Span, block, checksums, content) is { } flaw && Fail(block, flaw) == 0)
                return 0;
            var own = BtreePage.Read(page.Span);
            if (content.Role == IndexPageRole.New || own.IsDeleted || own.IsMeta)
                return Fail(block, $"the page is out of use, but page {left} and its level lead to it");
            if (own.Left != left)
                return Fail(block, $"its left neighbour is page {left}, but it names page {own.Left}");
            if (own.IsHalfDead ? level != 0 : own.Level != level || own.IsLeaf != (level == 0))
                return Fail(block, $"it says that it is of level {own.Level}, among pages of level {level}");
            var isDying = own.IsHalfDead;
            if (downlinks is not null)
            {
                var isKnown = downlinks.Child == block;
                if (isKnown && !order.IsSeparator(downlinks.Separator.Span))
                    return Fail(block, $"the separator before it on page {downlinks.Page} is not the high key of page {left}");
                if (!isKnown && !isSplit && !isDying && !(isDying = await LeadsToDying(block, level, cancellationToken)))
                    return Fail(block, $"page {left} leads to it, but no page above does");
                if (isKnown)
                    await downlinks.Move(blocks, cancellationToken);
            }
            if (!isDying && order.Judge(page, own) is { } disorder)
                return Fail(block, disorder);
            if (level == 0 && !own.IsHalfDead)
                entries.Take(page.Span, block, content, order.Digests);
            else if (leftmostChild == 0 && content.Children.Count > 0)
                leftmostChild = content.Children[0].Tid.Block;
            isSplit = own.IsSplitUnfinished();
            (left, block) = (block, own.Right);
        }
        return downlinks is { Child: not 0 } ? Fail(downlinks.Page, $"it leads to page {downlinks.Child}, which its level does not pass at that place") : leftmostChild;
    }

    /// <summary>VACUUM was cut off while it deleted a page with the pages above it: the leaf below is half dead (README of nbtree).</summary>
    private async ValueTask<bool> LeadsToDying(uint block, uint level, CancellationToken cancellationToken)
    {
        using var stream = open();
        var below = new IndexPageContent();
        for (; level > 0; level--)
        {
            var page = await stream.Read(block, cancellationToken);
            if (page.IsEmpty || IndexLevels.Read(page.Span, block, checksums, below) is not null || below.Children.Count == 0)
                return false;
            block = below.Children[0].Tid.Block;
        }
        var leaf = await stream.Read(block, cancellationToken);
        return !leaf.IsEmpty && BtreePage.Read(leaf.Span).IsHalfDead;
    }

    /// <summary>Pages that no level leads to are out of use; entries on another one would never be found.</summary>
    private async ValueTask Strays(CancellationToken cancellationToken)
    {
        using var stream = open();
        for (var block = 1u; block < blocks; block++)
        {
            if (met[(int)block])
                continue;
            var page = await stream.Read(block, cancellationToken);
            if (page.IsEmpty || PageHeader.Read(page.Span).IsNew || PageHeader.Read(page.Span).ItemCount == 0 || BtreePage.Read(page.Span).IsDeleted)
                continue;
            Fail(block, "the page holds entries, but no other page leads to it");
            return;
        }
    }

    /// <summary>Entries alone, page by page in the order of the file.</summary>
    public async ValueTask Scan(CancellationToken cancellationToken)
    {
        using var stream = open();
        for (var block = 0u; block < blocks && !index.IsBroken; block++)
        {
            var page = await stream.Read(block, cancellationToken);
            if (page.IsEmpty)
                return;
            if (IndexLevels.Read(page.Span, block, checksums, content) is { } flaw)
                Fail(block, flaw);
            else if (content.Role == IndexPageRole.Leaf)
                entries.Take(page.Span, block, content);
        }
    }

    private (uint, int)? Broken(uint block, string evidence)
    {
        Fail(block, evidence);
        return null;
    }

    private uint Fail(uint block, string evidence)
    {
        suspicions.Structure.Add(new StructureSuspicion(index.Index, block, -1, evidence));
        index.IsBroken = true;
        return 0;
    }
}
