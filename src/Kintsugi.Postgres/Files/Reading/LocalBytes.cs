using Microsoft.Win32.SafeHandles;

namespace Kintsugi.Postgres.Files.Reading;

/// <summary>Files of this machine, read in large pieces with the last one kept open.</summary>
internal sealed class LocalBytes(string directory, Pace pace) : IByteSource
{
    /// <summary>
    /// Up to here a file stays in the page cache after it was read: several checks read it in turn, and asking the kernel costs more than reading.
    /// </summary>
    private const long TooSmallToDrop = 64 << 10;

    private SafeFileHandle? handle;
    private string? open;
    private bool isLarge;

    public ValueTask<long> Length(string path, CancellationToken cancellationToken)
    {
        var file = new FileInfo(Path.Combine(directory, path));
        if (!file.Exists)
            return ValueTask.FromResult(-1L);
        // Somebody put the file elsewhere and left a link, which the server follows: the link's own length says nothing.
        if ((file.Attributes & FileAttributes.ReparsePoint) != 0 && file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target)
            file = target;
        return ValueTask.FromResult(file.Exists ? file.Length : -1);
    }

    /// <summary>Whether the server, which owns the file, may read and write it.</summary>
    public bool IsOpenToOwner(string path)
    {
        const UnixFileMode needed = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            return OperatingSystem.IsWindows() || (File.GetUnixFileMode(Path.Combine(directory, path)) & needed) == needed;
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return true;
        }
    }

    public async ValueTask<int> Read(string path, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await pace.Spend(buffer.Length, cancellationToken);
        if (Open(path) is not { } file)
            return 0;
        try
        {
            return isLarge ? KernelReads.Read(file, buffer.Span, offset) : KernelReads.ReadPlainly(file, buffer.Span, offset, have: 0);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException(refused.Message, refused);
        }
    }

    public void Reopen()
    {
        handle?.Dispose();
        (handle, open) = (null, null);
    }

    public void Dispose() => Reopen();

    private SafeFileHandle? Open(string path)
    {
        if (open == path)
            return handle;
        Reopen();
        try
        {
            handle = File.OpenHandle(Path.Combine(directory, path), FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete);
            open = path;
            isLarge = RandomAccess.GetLength(handle) > TooSmallToDrop;
            if (isLarge)
                KernelReads.Prepare(handle);
            return handle;
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException($"{path} may not be read: {refused.Message}", refused);
        }
    }
}
