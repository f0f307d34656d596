using Microsoft.Win32.SafeHandles;

namespace Kintsugi.State;

/// <summary>
/// Copies a file's bytes the cheapest way that works here: shared blocks, inside the kernel, through our memory.
/// </summary>
internal sealed class FileCopy(Throttle throttle)
{
    private const int Chunk = 8 << 20;
    private const int Piece = 1 << 20;

    /// <summary>Set false to try the slower ways (tests).</summary>
    public bool MayClone { get; init; } = true;
    public bool MayCopyInKernel { get; init; } = true;

    /// <returns>Bytes in the copy.</returns>
    public async ValueTask<long> Copy(SafeFileHandle source, SafeFileHandle target, CancellationToken cancellationToken)
    {
        if (MayClone && LinuxFiles.Clone(source, target))
            return RandomAccess.GetLength(target);
        var offset = MayCopyInKernel ? await InKernel(source, target, cancellationToken) : 0;
        // Some file systems answer 0 to copy_file_range although there is more (procfs-like, old overlay): the end is for read
        // to tell.
        return await ThroughMemory(source, target, offset, cancellationToken);
    }

    private async ValueTask<long> InKernel(SafeFileHandle source, SafeFileHandle target, CancellationToken cancellationToken)
    {
        for (var offset = 0L; ;)
        {
            var copied = LinuxFiles.CopyRange(source, target, offset, throttle.Limits ? Piece : Chunk);
            if (copied <= 0)
                return offset;
            offset += copied;
            await throttle.Passed(copied, cancellationToken);
        }
    }

    private async ValueTask<long> ThroughMemory(
        SafeFileHandle source, SafeFileHandle target, long offset, CancellationToken cancellationToken)
    {
        using var buffer = ReadBuffer.Rent(Piece);
        while (true)
        {
            var read = await RandomAccess.ReadAsync(source, buffer.Bytes, offset, cancellationToken);
            if (read == 0)
                return offset;
            await RandomAccess.WriteAsync(target, buffer.Bytes[..read], offset, cancellationToken);
            offset += read;
            await throttle.Passed(read, cancellationToken);
        }
    }
}
