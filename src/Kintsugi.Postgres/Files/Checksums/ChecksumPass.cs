using System.Collections.Concurrent;
using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Files.Checksums;

/// <summary>How a pass over all pages runs.</summary>
public sealed record ChecksumSettings
{
    /// <summary>Only files of that number.</summary>
    public string? Filenode { get; init; }
    public int Jobs { get; init; } = 1;
    public Pace Pace { get; init; } = new(null, TimeProvider.System);
    public IProgress<ChecksumProgress>? Progress { get; init; }
}

/// <summary>A range of one file: what a worker takes at a time.</summary>
internal sealed record ChecksumUnit(ChecksumFile File, long Offset, long Bytes);

/// <summary>Reads every page of a data directory once, in ranges, the largest first, with a bounded buffer for each
/// worker.</summary>
internal sealed class ChecksumPass(DataDirectory directory, ChecksumSettings settings, bool live, TimeProvider clock)
{
    private const int ChunkBytes = 512 << 10;
    private const long UnitBytes = 32 << 20;

    /// <summary>A page that a running server is just writing is whole again long before the last of these.</summary>
    private const int Looks = 5;

    private readonly ConcurrentBag<BadPage> bad = [];
    private readonly ConcurrentDictionary<string, string> unreadable = new();
    private long blocks;
    private long done;
    private long total;

    /// <summary>Does something with the pages of a range whose checksum is not right; null only reports them.</summary>
    public Func<ChecksumUnit, Action<Memory<byte>, long>>? Mend { get; init; }

    /// <summary>Told when a whole file is through.</summary>
    public Action<ChecksumFile>? FileDone { get; init; }
    public IReadOnlySet<string> Skip { get; init; } = new HashSet<string>();

    public async ValueTask<ChecksumReport> Run(CancellationToken cancellationToken)
    {
        var files = ChecksumFiles.List(directory, settings.Filenode).Where(file => !Skip.Contains(file.Path)).ToList();
        var queue = new ConcurrentQueue<ChecksumUnit>(files.SelectMany(Divide).OrderByDescending(unit => unit.Bytes));
        var left = new ConcurrentDictionary<string, int>(queue.GroupBy(unit => unit.File.Path)
            .Select(group => KeyValuePair.Create(group.Key, group.Count())));
        total = files.Sum(file => file.Length);
        await Task.WhenAll(Enumerable.Range(0, Math.Max(1, settings.Jobs)).Select(_ => Work(queue, left, cancellationToken)));
        return new ChecksumReport(files.Count, Interlocked.Read(ref blocks),
            [.. bad.OrderBy(page => page.Path, StringComparer.Ordinal).ThenBy(page => page.Block)], unreadable);
    }

    private static IEnumerable<ChecksumUnit> Divide(ChecksumFile file)
    {
        for (var offset = 0L; offset < file.Length; offset += UnitBytes)
            yield return new ChecksumUnit(file, offset, Math.Min(UnitBytes, file.Length - offset));
    }

    private async Task Work(
        ConcurrentQueue<ChecksumUnit> queue, ConcurrentDictionary<string, int> left, CancellationToken cancellationToken)
    {
        await Task.Yield();
        using var bytes = new LocalBytes(directory.Path, settings.Pace);
        using var buffer = ReadBuffer.Rent(ChunkBytes);
        while (queue.TryDequeue(out var unit))
        {
            await Take(unit, bytes, buffer.Bytes, cancellationToken);
            settings.Progress?.Report(new ChecksumProgress(Interlocked.Add(ref done, unit.Bytes), total));
            if (left.AddOrUpdate(unit.File.Path, 0, (_, count) => count - 1) == 0)
                FileDone?.Invoke(unit.File);
        }
    }

    private async ValueTask Take(ChecksumUnit unit, LocalBytes bytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var mend = Mend?.Invoke(unit);
        try
        {
            for (var at = unit.Offset; at < unit.Offset + unit.Bytes;)
            {
                var wanted = (int)Math.Min(buffer.Length, unit.Offset + unit.Bytes - at);
                var read = await bytes.Read(unit.File.Path, at, buffer[..wanted], cancellationToken);
                for (var i = 0; i + PageFormat.Size <= read; i += PageFormat.Size)
                    await Look(unit.File, at + i, buffer.Slice(i, PageFormat.Size), bytes, mend, cancellationToken);
                Interlocked.Add(ref blocks, read / PageFormat.Size);
                // A running server cuts files and extends them; a stopped one leaves whole blocks.
                if (read % PageFormat.Size != 0 && !live)
                    unreadable[unit.File.Path] = $"it ends inside block {(at + read) / PageFormat.Size + unit.File.FirstBlock}: "
                        + $"{read % PageFormat.Size} of {PageFormat.Size} bytes";
                if (read < wanted || read % PageFormat.Size != 0)
                    return;
                at += read;
            }
        }
        catch (IOException failed)
        {
            unreadable[unit.File.Path] = failed.Message;
        }
    }

    private async ValueTask Look(
        ChecksumFile file, long offset, Memory<byte> page, LocalBytes bytes, Action<Memory<byte>, long>? mend,
        CancellationToken cancellationToken)
    {
        var block = file.FirstBlock + (offset / PageFormat.Size);
        if (IsRight(page.Span, block))
            return;
        if (mend is not null)
        {
            mend(page, offset);
            return;
        }
        for (var look = 1; live && look < Looks; look++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50 * look), clock, cancellationToken);
            bytes.Reopen();
            if (await bytes.Read(file.Path, offset, page, cancellationToken) < page.Length || IsRight(page.Span, block))
                return;
        }
        bad.Add(new BadPage(file.Path, block, PageChecksum.Stored(page.Span), PageChecksum.Compute(page.Span, (uint)block)));
    }

    /// <summary>A page that was never initialised carries no checksum.</summary>
    private static bool IsRight(ReadOnlySpan<byte> page, long block) =>
        PageHeader.Read(page).IsNew || PageChecksum.Matches(page, (uint)block);
}
