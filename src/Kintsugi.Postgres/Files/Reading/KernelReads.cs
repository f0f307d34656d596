using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kintsugi.Postgres.Files.Reading;

/// <summary>
/// Reads that leave the page cache as they found it. A scan of everything would otherwise push out what the server works with;
/// and telling the kernel to drop all that was read would push it out just as well. So what is cached already is read with
/// RWF_NOWAIT and stays, and only what this read itself brought in is dropped again (preadv2(2), posix_fadvise(2)).
/// </summary>
internal static partial class KernelReads
{
    private const int NoWait = 8, AdviseRandom = 1, AdviseDontNeed = 4;

    private static readonly bool CanAsk = OperatingSystem.IsLinux()
        && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "preadv2", out _);

    /// <summary>Without the kernel's own read-ahead, which would make what it fetches look as if it had been cached
    /// before.</summary>
    public static void Prepare(SafeFileHandle handle)
    {
        if (CanAsk)
            _ = Advise(handle, 0, 0, AdviseRandom);
    }

    /// <returns>Bytes read; fewer than asked for only at the end of the file.</returns>
    public static int Read(SafeFileHandle handle, Span<byte> buffer, long offset)
    {
        var cached = CanAsk ? ReadCached(handle, buffer, offset) : -1;
        var total = ReadPlainly(handle, buffer, offset, Math.Max(cached, 0));
        if (cached >= 0 && total > cached)
            _ = Advise(handle, offset + cached, total - cached, AdviseDontNeed);
        return total;
    }

    /// <summary>What is missing of the buffer, as any program reads.</summary>
    public static int ReadPlainly(SafeFileHandle handle, Span<byte> buffer, long offset, int have)
    {
        var total = have;
        while (total < buffer.Length)
        {
            var read = RandomAccess.Read(handle, buffer[total..], offset + total);
            if (read == 0)
                break;
            total += read;
        }
        return total;
    }

    /// <returns>Bytes that lay in the page cache, 0 for none; -1 where the file system cannot tell.</returns>
    private static unsafe int ReadCached(SafeFileHandle handle, Span<byte> buffer, long offset)
    {
        fixed (byte* start = buffer)
        {
            var vector = new Vector { Start = start, Length = (nuint)buffer.Length };
            var read = ReadVector(handle, &vector, 1, offset, NoWait);
            const int again = 11;
            return read >= 0 ? (int)read : Marshal.GetLastPInvokeError() == again ? 0 : -1;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Vector
    {
        public byte* Start;
        public nuint Length;
    }

    [LibraryImport("libc", EntryPoint = "preadv2", SetLastError = true)]
    private static unsafe partial nint ReadVector(SafeFileHandle handle, Vector* vectors, int count, long offset, int flags);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle handle, long offset, long length, int advice);
}
