using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>One page of an index, believed or not.</summary>
internal static class IndexPages
{
    /// <returns>What is wrong with the page; null when its content can be believed.</returns>
    public static string? Read(IndexKind kind, ReadOnlySpan<byte> page, long block, bool checksums, IndexPageContent content)
    {
        IndexTids.Read(kind, page, (uint)block, content);
        if (content.Role == IndexPageRole.New && content.Flaws.Count == 0)
            return block == 0 ? "the first page of the index is all zero" : null;
        if (checksums && !PageChecksum.Matches(page, (uint)block))
            return $"the stored checksum is {PageChecksum.Stored(page):X4}, the bytes give {PageChecksum.Compute(page, (uint)block):X4}";
        return content.IsTrustworthy ? null : string.Join("; ", content.Flaws.Take(3).Select(flaw => flaw.Describe()));
    }

    /// <summary>Pages beside this one that a scan goes on to.</summary>
    public static IReadOnlyList<uint> Siblings(IndexKind kind, ReadOnlySpan<byte> page, IndexPageRole role)
    {
        if (role is not (IndexPageRole.Leaf or IndexPageRole.Inner or IndexPageRole.Pending))
            return [];
        return kind switch
        {
            IndexKind.Btree when BtreePage.Read(page) is { Right: not 0 } btree => [btree.Right],
            IndexKind.Gin when GinPage.Read(page) is { Right: not Tid.NoBlock } gin => [gin.Right],
            // GiST follows its right link only after a split that the parent does not know yet; it need not be there otherwise.
            IndexKind.Hash when HashPage.Read(page) is { Next: not Tid.NoBlock } hash => [hash.Next],
            _ => [],
        };
    }
}
