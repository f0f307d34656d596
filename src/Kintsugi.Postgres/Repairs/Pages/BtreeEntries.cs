using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>Every page of a btree, in the order of its file.</summary>
internal static class BtreeEntries
{
    /// <summary>800 MB of index: more is not read for one page.</summary>
    public const long MostBlocks = 100_000;
    private const int PagesPerRead = 64;

    public delegate void VisitEntry(ReadOnlySpan<byte> entry, Tid tid);

    public delegate void VisitPage(ReadOnlySpan<byte> page, IndexPageContent content);

    /// <returns>Whether every page of it could be read and believed.</returns>
    public static ValueTask<bool> Read(Relation index, IPageView view, Patient patient, VisitEntry visit, CancellationToken cancellationToken) =>
        ReadPages(index, view, patient, (page, content) =>
        {
            foreach (var row in content.Rows)
                visit(Entry(page, row.Item), row.Tid);
        }, cancellationToken);

    public static async ValueTask<bool> ReadPages(Relation index, IPageView view, Patient patient, VisitPage visit, CancellationToken cancellationToken)
    {
        if (index.Path is not { } path)
            return false;
        var place = new Located(index, path);
        var content = new IndexPageContent();
        using var buffer = ReadBuffer.Rent(PagesPerRead * PageFormat.Size);
        var blocks = await view.Blocks(place, cancellationToken);
        for (var block = 0L; block < blocks;)
        {
            var read = await view.Read(place, block, buffer.Bytes, cancellationToken);
            if (read == 0)
                return false;
            for (var i = 0; i < read && block < blocks; i++, block++)
            {
                var page = buffer.Bytes.Span.Slice(i * PageFormat.Size, PageFormat.Size);
                if (IndexPages.Read(IndexKind.Btree, page, block, patient.Can.DataChecksums == true && !view.IsLocked, content) is not null)
                    return false;
                visit(page, content);
            }
        }
        return true;
    }

    /// <summary>The entry's bytes; empty where its line pointer leads nowhere.</summary>
    public static ReadOnlySpan<byte> Entry(ReadOnlySpan<byte> page, int item)
    {
        var line = LinePointer.Read(page, item);
        return line.IsReadable(page) ? page.Slice(line.Offset, line.Length) : default;
    }
}
