using Kintsugi.Pages;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>Rented memory for a run of pages: no larger than the relation, so that ten thousand small ones do not clear gigabytes.</summary>
internal sealed class PageBuffer : IDisposable
{
    private const int MostPages = 64;
    private readonly ReadBuffer rented;

    private PageBuffer(int pages)
    {
        Pages = pages;
        rented = ReadBuffer.Rent(pages * PageFormat.Size);
    }

    public int Pages { get; }
    public Memory<byte> Bytes => rented.Bytes;

    /// <summary>One page more than there is, so that one read sees the end.</summary>
    public static PageBuffer For(long blocks) => new((int)Math.Clamp(blocks + 1, 1, MostPages));

    public Span<byte> Page(int at) => rented.Bytes.Span.Slice(at * PageFormat.Size, PageFormat.Size);

    public void Dispose() => rented.Dispose();
}
