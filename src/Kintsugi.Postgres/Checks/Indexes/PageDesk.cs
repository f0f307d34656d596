using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>Single pages looked up once each in one view, for the second look.</summary>
internal sealed class PageDesk(IPageView view, Moment moment, bool checksums)
{
    /// <summary>GistBuildLSN (gist.h); the other two leave it at nothing.</summary>
    private const ulong BuildLsn = 1;

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

    /// <summary>
    /// The same of a page of an index. GIN, GiST and SP-GiST are built in shared buffers and logged when all is there (GistBuildLSN, log_newpage_range): a page that
    /// had to make room before lies in the file without a position in the WAL, beside others that are not there yet.
    /// </summary>
    public bool IsExact(byte[] page, Located index) => IsExact(page) && (view.IsLocked || PageHeader.Read(page).Lsn > BuildLsn
        || IndexKinds.Of(index.Relation.AccessMethod) is not (IndexKind.Gin or IndexKind.Gist or IndexKind.SpGist));
}
