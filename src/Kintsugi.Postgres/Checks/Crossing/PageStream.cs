using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>Pages of one file, one by one, read ahead where they are asked for in their order.</summary>
internal sealed class PageStream(IByteSource bytes, string path) : IDisposable
{
    private const int Ahead = 64;

    private readonly ReadBuffer buffer = ReadBuffer.Rent(Ahead * PageFormat.Size);
    private long first;
    private int held;
    private long last = -1;

    /// <returns>The page, good until the next one is asked for; empty behind the end.</returns>
    public async ValueTask<ReadOnlyMemory<byte>> Read(long block, CancellationToken cancellationToken)
    {
        if (block < first || block >= first + held)
        {
            var wanted = block == last + 1 ? Ahead : 1;
            var (file, offset) = Forks.Place(path, Forks.Main, block);
            wanted = (int)Math.Min(wanted, PageFormat.BlocksPerSegment - (block % PageFormat.BlocksPerSegment));
            held = await bytes.Read(file, offset, buffer.Bytes[..(wanted * PageFormat.Size)], cancellationToken) / PageFormat.Size;
            first = block;
        }
        last = block;
        return held == 0 ? default : buffer.Bytes.Slice((int)(block - first) * PageFormat.Size, PageFormat.Size);
    }

    public void Dispose()
    {
        buffer.Dispose();
        bytes.Dispose();
    }
}
