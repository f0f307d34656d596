using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Checks.Keys;

/// <summary>
/// Whether a search in an index can end: every page is one of it, every page that is led to is there, and no chain of right links bites its own
/// tail. What is wrong is for index-entries to accuse; here it only forbids the search.
/// </summary>
internal static class StructureProof
{
    private const int PagesPerRead = 64;

    /// <returns>What is wrong; null when searches end.</returns>
    public static async ValueTask<string?> Look(IPageView view, Located index, bool checksums, CancellationToken cancellationToken)
    {
        var kind = IndexKinds.Of(index.Relation.AccessMethod);
        var blocks = (int)Math.Min(await view.Blocks(index, cancellationToken), int.MaxValue);
        var links = new Links(blocks);
        var next = new uint[blocks];
        var content = new IndexPageContent();
        using var buffer = ReadBuffer.Rent(PagesPerRead * PageFormat.Size);
        for (var block = 0; block < blocks;)
        {
            var read = await view.Read(index, block, buffer.Bytes, cancellationToken);
            if (read == 0)
                break;
            for (var i = 0; i < read && block < blocks; i++, block++)
            {
                var page = buffer.Bytes.Span.Slice(i * PageFormat.Size, PageFormat.Size);
                var wrong = IndexPages.Read(kind, page, block, checksums && !view.IsLocked, content);
                links.Take(page, block, kind, content, wrong);
                if (wrong is null && IndexPages.Siblings(kind, page, content.Role) is [var right])
                    next[block] = right;
            }
        }
        return links.Broken(index).Select(broken => broken.Parent < 0 ? $"page {broken.Page}: {broken.Evidence}" : broken.Evidence)
            .FirstOrDefault() ?? Ring(next);
    }

    /// <summary>Block 0 is no page's right neighbour, so 0 ends a chain.</summary>
    private static string? Ring(uint[] next)
    {
        var chain = new int[next.Length];
        for (var start = 0; start < next.Length; start++)
            for (uint page = (uint)start; page < next.Length && next[page] != 0; page = next[page])
            {
                if (chain[page] == start + 1)
                    return $"the right links of page {page} lead back to it";
                if (chain[page] != 0)
                    break;
                chain[page] = start + 1;
            }
        return null;
    }
}
