using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>Goes through the pages of a relation as bytes: from the buffers where that is allowed, else from the files.</summary>
internal sealed class PageSearch(IPageView view, IReadSession session, IDisposable? source) : IDisposable
{
    /// <summary>400 MB of heap or index: a few seconds. Beyond it the search is left to a person.</summary>
    public const int MostBlocks = 50_000;

    /// <summary>1 MB: each reading through the server is a statement of its own.</summary>
    private const int PagesPerRead = 128;

    /// <summary>Pages between two wanted ones that cost less to read than a statement more.</summary>
    private const int WidestGap = 8;

    /// <returns>Null where neither buffers nor files can be read.</returns>
    public static async ValueTask<PageSearch?> Of(Patient patient, CancellationToken cancellationToken)
    {
        var bytes = await ByteSource.Of(patient, cancellationToken);
        // The buffers first: what was written, deleted or vacuumed a moment ago is not on disk yet.
        IPageView? buffers = BufferView.Of(patient);
        return (buffers ?? (bytes is null ? null : new FileView(bytes, patient, TimeProvider.System))) is { } view
            ? new PageSearch(view, patient.Session, bytes) : null;
    }

    /// <summary>The pages are as the server has them, and not as they were when they were last written: only then is the newest version the newest.</summary>
    public bool IsCurrent => view.IsLocked;

    public void Dispose() => source?.Dispose();

    public delegate void Visit(ReadOnlySpan<byte> page, long block);
    public delegate void VisitTuple(ReadOnlySpan<byte> tuple, Tid tid);

    public async ValueTask Pages(Relation relation, Visit visit, CancellationToken cancellationToken)
    {
        if (await Locate(relation, cancellationToken) is not { } place)
            return;
        using var buffer = ReadBuffer.Rent(PagesPerRead * PageFormat.Size);
        for (var block = 0L; block < MostBlocks;)
        {
            var read = await view.Read(place, block, buffer.Bytes, cancellationToken);
            for (var i = 0; i < read; i++, block++)
                visit(buffer.Bytes.Span.Slice(i * PageFormat.Size, PageFormat.Size), block);
            if (read < PagesPerRead)
                return;
        }
    }

    /// <summary>Every row version that a line pointer still leads to, dead or alive.</summary>
    public ValueTask Tuples(Relation heap, VisitTuple visit, CancellationToken cancellationToken) => Pages(heap, (page, block) =>
    {
        var count = PageHeader.Read(page) is { IsNew: false, IsPossible: true } header ? Math.Min(header.ItemCount, PageFormat.MaxHeapItems) : 0;
        for (var item = 1; item <= count; item++)
            if (Tuple(page, item) is { IsEmpty: false } tuple)
                visit(tuple, new Tid((uint)block, item));
    }, cancellationToken);

    /// <summary>Those blocks alone, as far as there are such; neighbours are read together.</summary>
    public async ValueTask Pages(Relation relation, IEnumerable<long> blocks, Visit visit, CancellationToken cancellationToken)
    {
        if (await Locate(relation, cancellationToken) is not { } place)
            return;
        long[] wanted = [.. blocks.Distinct().Order()];
        using var buffer = ReadBuffer.Rent(PagesPerRead * PageFormat.Size);
        for (var from = 0; from < wanted.Length;)
        {
            var to = from + 1;
            while (to < wanted.Length && wanted[to] - wanted[to - 1] <= WidestGap && wanted[to] - wanted[from] < PagesPerRead)
                to++;
            await Run(place, wanted[from..to], buffer.Bytes, visit, cancellationToken);
            from = to;
        }
    }

    private async ValueTask Run(Located place, long[] wanted, Memory<byte> buffer, Visit visit, CancellationToken cancellationToken)
    {
        int read;
        try
        {
            read = await view.Read(place, wanted[0], buffer[..((int)(wanted[^1] - wanted[0] + 1) * PageFormat.Size)], cancellationToken);
        }
        catch (PatientException problem) when (wanted.Length > 1 && !problem.ConnectionLost)
        {
            // One that nobody asked for may be what the server refuses to read.
            foreach (var block in wanted)
                await Run(place, [block], buffer, visit, cancellationToken);
            return;
        }
        foreach (var block in wanted.Where(block => block - wanted[0] < read))
            visit(buffer.Span.Slice((int)(block - wanted[0]) * PageFormat.Size, PageFormat.Size), block);
    }

    public static ReadOnlySpan<byte> Tuple(ReadOnlySpan<byte> page, int item) =>
        LinePointer.Read(page, item) is { State: LinePointerState.Normal } line && HeapPageInspector.IsReadable(page, line)
            ? page.Slice(line.Offset, line.Length) : default;

    private async ValueTask<Located?> Locate(Relation relation, CancellationToken cancellationToken) =>
        await session.Rows("SELECT pg_catalog.pg_relation_filepath($1::pg_catalog.regclass)", row => row.IsDBNull(0) ? null : row.GetString(0),
            cancellationToken, relation.Oid) is [{ } path] ? new Located(relation, path) : null;
}
