using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Kintsugi.Postgres.Files;

/// <summary>Whose a file or a process is: what .NET does not tell.</summary>
internal static partial class FileOwner
{
    /// <summary>AT_FDCWD, STATX_UID and the place of stx_uid (linux/fcntl.h, linux/stat.h): the same on every architecture.</summary>
    private const int WorkingDirectory = -100, UidWanted = 8, UidAt = 20, StatSize = 256;

    /// <returns>The user id, or null where it cannot be seen.</returns>
    public static int? Of(string path)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var stat = new byte[StatSize];
        return Statx(WorkingDirectory, path, 0, UidWanted, stat) == 0 ? BinaryPrimitives.ReadInt32LittleEndian(stat.AsSpan(UidAt)) : null;
    }

    /// <returns>The user and the name of a living process, or null when there is none.</returns>
    public static (int Uid, string Name)? OfProcess(int pid) => OfProcess($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}");

    /// <param name="folder">What the kernel tells of the process.</param>
    public static (int Uid, string Name)? OfProcess(string folder)
    {
        try
        {
            var lines = File.ReadAllLines(Path.Combine(folder, "status"));
            string Field(string name) => lines.First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Trim();
            return (int.Parse(Field("Uid:").Split('\t')[0], CultureInfo.InvariantCulture), Field("Name:"));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint wanted, [Out] byte[] stat);
}
