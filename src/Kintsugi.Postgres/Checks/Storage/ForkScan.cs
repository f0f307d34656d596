using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>Reads a range of one fork in large pieces and collects the pages that cannot be right.</summary>
internal sealed class ForkScan(IByteSource bytes, string path, string fork, PageExpectation expected, ulong walEnd)
{
    /// <summary>It stays in the cache of a core until it is looked at: larger pieces are slower (from the page cache, 512 KiB 11, 1 MiB 9.5 GB/s).</summary>
    private const int ChunkBytes = 512 << 10;

    /// <summary>Judges an all-zero page, which is legal but for what else is known of it.</summary>
    public Func<long, CancellationToken, ValueTask<Suspicion?>>? OnZeroPage { get; init; }

    /// <summary>Told of every page that was read.</summary>
    public Action<long, ReadOnlyMemory<byte>>? OnPage { get; init; }

    /// <summary>Judges a page that nothing else speaks against.</summary>
    public Func<long, ReadOnlyMemory<byte>, Suspicion?>? Besides { get; init; }

    /// <summary>Told of every page that is not suspicious.</summary>
    public PageTrack? Track { get; init; }

    /// <summary>Where suspects go; the scan ends when there are that many.</summary>
    public required List<Suspect> Suspects { get; init; }
    public required int MaxSuspects { get; init; }

    /// <returns>The first block that was not read: the end of the range, or of the file.</returns>
    public async ValueTask<long> Run(long first, long end, CancellationToken cancellationToken)
    {
        using var buffer = ReadBuffer.Rent(ChunkBytes);
        var block = first;
        while (block < end && Suspects.Count < MaxSuspects)
        {
            var inSegment = PageFormat.BlocksPerSegment - (block % PageFormat.BlocksPerSegment);
            var wanted = (int)Math.Min(Math.Min(end - block, inSegment), ChunkBytes / PageFormat.Size);
            var read = await Read(block, buffer.Bytes[..(wanted * PageFormat.Size)], cancellationToken);
            for (var i = 0; i < read; i++)
            {
                var page = buffer.Bytes.Slice(i * PageFormat.Size, PageFormat.Size);
                OnPage?.Invoke(block + i, page);
                await Look(block + i, page, cancellationToken);
            }
            block += read;
            if (read < wanted)
                break;
        }
        return block;
    }

    private async ValueTask Look(long block, ReadOnlyMemory<byte> page, CancellationToken cancellationToken)
    {
        if (Suspects.Count >= MaxSuspects || (Suspects.Count > 0 && Suspects[^1].Block == block))
            return;
        var suspicion = PageJudge.Look(page.Span, block, expected, walEnd);
        if (suspicion is null && OnZeroPage is not null && PageHeader.Read(page.Span).IsNew)
            suspicion = await OnZeroPage(block, cancellationToken);
        suspicion ??= Besides?.Invoke(block, page);
        if (suspicion is not null)
            Suspects.Add(new Suspect(fork, block, suspicion, page.ToArray()));
        else
            Track?.Note(block, page.Span);
    }

    /// <returns>Whole blocks that could be read; an unreadable block is a suspect and counts as read.</returns>
    private async ValueTask<int> Read(long block, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var (file, offset) = Forks.Place(path, fork, block);
        try
        {
            return await bytes.Read(file, offset, buffer, cancellationToken) / PageFormat.Size;
        }
        catch (IOException) when (buffer.Length > PageFormat.Size)
        {
            // One bad sector fails the whole piece: block by block shows which.
            var blocks = 0;
            for (var at = 0; at < buffer.Length; at += PageFormat.Size, blocks++)
                if (await Read(block + blocks, buffer.Slice(at, PageFormat.Size), cancellationToken) == 0)
                    break;
            return blocks;
        }
        catch (IOException failed)
        {
            // Gone or cut off meanwhile is the end of the file, not a bad block.
            if (await bytes.Length(file, cancellationToken) < offset + PageFormat.Size)
                return 0;
            buffer.Span.Clear();
            Suspects.Add(new Suspect(fork, block, Unreadable(failed), buffer.ToArray()));
            return 1;
        }
    }

    public static Suspicion Unreadable(IOException failed) =>
        new(Faults.PageInvalid, $"the block cannot be read: {failed.Message}");
}
