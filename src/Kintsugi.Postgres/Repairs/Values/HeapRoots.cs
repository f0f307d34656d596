using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Repairs.Values;

/// <summary>Where index entries lead for a row: to the root of its HOT chain. Rows are best asked for in their order: one page is kept.</summary>
internal sealed class HeapRoots(Located heap, IPageView view, Moment moment)
{
    private uint block = Tid.NoBlock;
    private byte[]? page;

    /// <returns>Null where the page cannot be read, or the row is no live one on it.</returns>
    public async ValueTask<Tid?> Of(Tid row, CancellationToken cancellationToken)
    {
        if (row.Block != block)
        {
            page = await new PageDesk(view, moment, checksums: false).Page(heap, row.Block, cancellationToken);
            block = row.Block;
        }
        if (page is null || PageHeader.Read(page) is not { IsNew: false, IsPossible: true } header || row.Item > header.ItemCount)
            return null;
        if (HeapSlots.LiveMember(page, row.Item, moment.EndedBefore) == row.Item)
            return row;
        for (var item = 1; item <= header.ItemCount; item++)
            if (HeapSlots.LiveMember(page, item, moment.EndedBefore) == row.Item)
                return row with { Item = item };
        return null;
    }
}
