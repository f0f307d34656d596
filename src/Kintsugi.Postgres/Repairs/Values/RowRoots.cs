using Kintsugi.Pages;
using Kintsugi.Pages.Crossing;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>Where index entries lead for a row that the server shows: to the root of its HOT chain. Rows are best asked for in their order: one page is kept.</summary>
internal sealed class RowRoots(Located heap, IPageView view)
{
    private readonly int[] roots = new int[PageFormat.MaxHeapItems + 1];
    private uint block = Tid.NoBlock;
    private int count;

    /// <returns>Null where the page cannot be read, or does not tell.</returns>
    public async ValueTask<Tid?> Of(Tid row, CancellationToken cancellationToken)
    {
        if (row.Block != block)
        {
            block = row.Block;
            count = 0;
            if (await new PageDesk(view, default, checksums: false).Page(heap, row.Block, cancellationToken) is { } page
                && PageHeader.Read(page) is { IsNew: false, IsPossible: true } header)
            {
                count = Math.Min(header.ItemCount, PageFormat.MaxHeapItems);
                // Who is in a multixact is not asked: a chain through one ends there, and its rows have no root.
                HeapRoots.Find(page, head => head.XmaxIsMulti ? null : head.Xmax, roots);
            }
        }
        return row.Item <= count && roots[row.Item] is > 0 and var root ? row with { Item = root } : null;
    }
}
