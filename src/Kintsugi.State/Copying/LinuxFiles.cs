using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kintsugi.State;

/// <summary>
/// The system calls of Linux that .NET does not offer: cloning, copying inside the kernel, syncing directories.
/// </summary>
internal static partial class LinuxFiles
{
    /// <summary>FICLONE of linux/fs.h: _IOW(0x94, 9, int).</summary>
    private const nuint CloneRequest = 0x40049409;

    private const int ReadOnly = 0;

    /// <summary>EEXIST of errno.h.</summary>
    private const int Exists = 17;

    /// <summary>
    /// Gives a finished file its name, and replaces none: link(2) is atomic, where File.Move looks whether the name is taken and then renames over
    /// whatever was put there in between.
    /// </summary>
    /// <returns>False where the name is taken; the draft is gone either way.</returns>
    public static bool TakeName(string draft, string path)
    {
        var linked = Link(draft, path) == 0;
        var taken = !linked && Marshal.GetLastPInvokeError() == Exists;
        if (!linked && !taken)
            File.Move(draft, path, overwrite: false);
        else
            File.Delete(draft);
        return !taken;
    }

    /// <summary>Shares all blocks of the source with the target (ioctl_ficlone(2)).</summary>
    /// <returns>False where the file system cannot, or the two files lie on different ones.</returns>
    public static bool Clone(SafeFileHandle source, SafeFileHandle target) =>
        OperatingSystem.IsLinux() && Ioctl(target, CloneRequest, (int)source.DangerousGetHandle()) == 0;

    /// <summary>Copies inside the kernel (copy_file_range(2), since Linux 5.3 across file systems).</summary>
    /// <returns>Bytes copied, 0 at the end of the source, -1 when it cannot be done this way.</returns>
    public static long CopyRange(SafeFileHandle source, SafeFileHandle target, long offset, long length)
    {
        if (!OperatingSystem.IsLinux())
            return -1;
        var (from, to) = (offset, offset);
        return CopyFileRange(source, ref from, target, ref to, (nuint)length, 0);
    }

    /// <summary>Asks the disk to begin with what was written to the file, and waits for nothing (sync_file_range(2)): no promise of durability.</summary>
    public static void BeginToWrite(SafeFileHandle file)
    {
        const uint write = 2;
        if (OperatingSystem.IsLinux())
            _ = SyncFileRange(file, 0, 0, write);
    }

    /// <summary>Makes names in that directory durable: a rename is only safe after this (fsync(2)).</summary>
    public static void SyncDirectory(string path) => WithDirectory(path, Fsync);

    /// <summary>
    /// Makes everything on that file system durable in one go: quicker than thousands of files one by one (syncfs(2)).
    /// </summary>
    public static void SyncFileSystem(string path) => WithDirectory(path, OperatingSystem.IsLinux() ? Syncfs : Fsync);

    private static void WithDirectory(string path, Func<int, int> sync)
    {
        var descriptor = Open(path, ReadOnly, 0);
        if (descriptor < 0)
            throw new IOException($"{path} could not be opened to be synced (errno {Marshal.GetLastPInvokeError()})");
        try
        {
            if (sync(descriptor) != 0)
                throw new IOException($"{path} could not be synced to disk (errno {Marshal.GetLastPInvokeError()})");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string draft, string path);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Ioctl(SafeFileHandle target, nuint request, int argument);

    [LibraryImport("libc", EntryPoint = "copy_file_range", SetLastError = true)]
    private static partial nint CopyFileRange(
        SafeFileHandle source, ref long sourceOffset, SafeFileHandle target, ref long targetOffset, nuint length, uint flags);

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncFileRange(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int Syncfs(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
