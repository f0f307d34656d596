using Kintsugi.Pages;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>Single pages looked up once each in one view, for the second look.</summary>
internal sealed class PageDesk(IPageView view, Moment moment, bool checksums)
{
    private readonly Dictionary<(Located, long), byte[]?> pages = [];

    public Moment Moment => moment;

    /// <summary>Whether the checksums of these pages can be held against their bytes.</summary>
    public bool Checksums => checksums && !view.IsLocked;

    /// <returns>Null where there is no such page, or it cannot be believed.</returns>
    public async ValueTask<byte[]?> Page(Located relation, long block, CancellationToken cancellationToken)
    {
        if (pages.TryGetValue((relation, block), out var known))
            return known;
        var page = new byte[PageFormat.Size];
        var again = new byte[PageFormat.Size];
        byte[]? result = null;
        if (view.IsLocked)
            return pages[(relation, block)] = await view.Read(relation, block, page, cancellationToken) == 0 ? null : page;
        // The same bytes twice: a page read while it was written is torn.
        for (var i = 0; i < 3 && result is null; i++)
        {
            if (await view.Read(relation, block, page, cancellationToken) == 0 || await view.Read(relation, block, again, cancellationToken) == 0)
                break;
            if (page.AsSpan().SequenceEqual(again) && (!checksums || PageHeader.IsAllZero(page) || PageChecksum.Matches(page, (uint)block)))
                result = page;
        }
        return pages[(relation, block)] = result;
    }

    /// <summary>Whether the page is as it was at the moment: no change of it is younger.</summary>
    public bool IsExact(byte[] page) => PageHeader.Read(page).Lsn <= moment.Lsn;
}
