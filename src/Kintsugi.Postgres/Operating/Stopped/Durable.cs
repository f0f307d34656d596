using System.Runtime.InteropServices;

namespace Kintsugi.Postgres.Operating.Stopped;

/// <summary>Makes names durable: a rename is only safe after its directory was synced (fsync(2)).</summary>
internal static partial class Durable
{
    public static void Names(string directory)
    {
        var descriptor = Open(directory, 0, 0);
        if (descriptor < 0)
            throw new IOException($"{directory} could not be opened to be synced (errno {Marshal.GetLastPInvokeError()})");
        try
        {
            if (Fsync(descriptor) != 0)
                throw new IOException($"{directory} could not be synced to disk (errno {Marshal.GetLastPInvokeError()})");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
