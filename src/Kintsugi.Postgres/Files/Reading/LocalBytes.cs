using Microsoft.Win32.SafeHandles;

namespace Kintsugi.Postgres.Files.Reading;

/// <summary>Files of this machine, read in large pieces with the last one kept open.</summary>
internal sealed class LocalBytes(string directory, Pace pace) : IByteSource
{
    private SafeFileHandle? handle;
    private string? open;

    public ValueTask<long> Length(string path, CancellationToken cancellationToken)
    {
        var file = new FileInfo(Path.Combine(directory, path));
        return ValueTask.FromResult(file.Exists ? file.Length : -1);
    }

    public async ValueTask<int> Read(string path, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await pace.Spend(buffer.Length, cancellationToken);
        if (Open(path) is not { } file)
            return 0;
        try
        {
            return KernelReads.Read(file, buffer.Span, offset);
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
