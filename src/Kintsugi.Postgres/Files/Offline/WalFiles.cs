using Kintsugi.Pages.Wal;
using Microsoft.Win32.SafeHandles;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>pg_wal, by the names of xlog_internal.h: timeline, then the segment number in two halves.</summary>
internal sealed class WalFiles(string directory, int segmentSize, uint newest) : IWalSource, IDisposable
{
    private SafeFileHandle? handle;
    private string? open;

    public int SegmentSize { get; } = segmentSize;

    public string NameOf(ulong address) => Name(address, newest);

    public bool TryRead(ulong address, Span<byte> page)
    {
        // The part before a promotion may lie in a segment of the timeline that was left.
        for (var timeline = newest; timeline > 0 && timeline + 16 > newest; timeline--)
        {
            var file = Path.Combine(directory, "pg_wal", Name(address, timeline));
            if (!File.Exists(file))
                continue;
            try
            {
                return ReadFrom(file, address, page);
            }
            catch (FileNotFoundException)
            {
                // Recycled between the look and the opening: the control file will have moved on.
                continue;
            }
        }
        return false;
    }

    private bool ReadFrom(string file, ulong address, Span<byte> page)
    {
        if (open != file)
        {
            handle?.Dispose();
            handle = File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            open = file;
        }
        return RandomAccess.Read(handle!, page, (long)(address % (uint)SegmentSize)) == page.Length;
    }

    public void Dispose() => handle?.Dispose();

    private string Name(ulong address, uint timeline)
    {
        var segment = address / (uint)SegmentSize;
        var perId = 0x100000000ul / (uint)SegmentSize;
        return $"{timeline:X8}{segment / perId:X8}{segment % perId:X8}";
    }
}
