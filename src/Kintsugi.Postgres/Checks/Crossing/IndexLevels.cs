using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>One page of a btree, believed or not.</summary>
internal static class IndexLevels
{
    /// <summary>BTP_INCOMPLETE_SPLIT: the right half of the page has no downlink yet.</summary>
    private const int IncompleteSplit = 128;

    /// <returns>What is wrong with the page; null when it can be believed.</returns>
    public static string? Read(ReadOnlySpan<byte> page, uint block, bool checksums, IndexPageContent content) =>
        IndexPages.Read(IndexKind.Btree, page, block, checksums, content);

    public static bool IsSplitUnfinished(this BtreePage page) => (page.Flags & IncompleteSplit) != 0;
}
