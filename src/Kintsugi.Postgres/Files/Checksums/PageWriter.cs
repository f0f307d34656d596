using System.Collections.Concurrent;
using Kintsugi.Pages;
using Microsoft.Win32.SafeHandles;

namespace Kintsugi.Postgres.Files.Checksums;

/// <summary>Writes checksums into pages. Only their two bytes: a power cut can then tear no page.</summary>
internal sealed class PageWriter(string directory) : IDisposable
{
    private const int ChecksumAt = 8;

    private readonly ConcurrentDictionary<string, Lazy<SafeFileHandle>> open = new();
    private long written;

    public long Written => Interlocked.Read(ref written);

    public void Seal(ChecksumFile file, Memory<byte> page, long offset)
    {
        PageChecksum.Seal(page.Span, (uint)(file.FirstBlock + (offset / PageFormat.Size)));
        var handle = open.GetOrAdd(file.Path, path => new Lazy<SafeFileHandle>(() =>
            File.OpenHandle(Path.Combine(directory, path), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))).Value;
        RandomAccess.Write(handle, page.Span.Slice(ChecksumAt, 2), offset + ChecksumAt);
        Interlocked.Increment(ref written);
    }

    /// <summary>What was written to the file is on the disk when this returns.</summary>
    public void Flush(string path)
    {
        if (!open.TryRemove(path, out var handle))
            return;
        RandomAccess.FlushToDisk(handle.Value);
        handle.Value.Dispose();
    }

    public void Dispose()
    {
        foreach (var handle in open.Values)
            handle.Value.Dispose();
    }
}
