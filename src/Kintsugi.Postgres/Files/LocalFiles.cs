using System.Globalization;
using System.IO.Enumeration;

namespace Kintsugi.Postgres.Files;

/// <summary>A data directory on this machine, read beside the server or without one.</summary>
public sealed class LocalFiles(string directory) : IPatientFiles
{
    public string Directory { get; } = directory;

    public bool Exists(string path) => File.Exists(Full(path));

    public long Length(string path)
    {
        var file = new FileInfo(Full(path));
        return file.Exists ? file.Length : -1;
    }

    public async ValueTask<int> Read(string path, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            using var handle = File.OpenHandle(Full(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var total = 0;
            while (total < buffer.Length)
            {
                var read = await RandomAccess.ReadAsync(handle, buffer[total..], offset + total, cancellationToken);
                if (read == 0)
                    break;
                total += read;
            }
            return total;
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            return 0;
        }
    }

    /// <summary>The kind of an entry is in the directory itself: asking for each file costs more than listing a hundred thousand of them.</summary>
    public IReadOnlyList<string> List(string path)
    {
        var full = Full(path);
        return System.IO.Directory.Exists(full)
            ? [.. new FileSystemEnumerable<string>(full, (ref entry) => entry.IsDirectory ? $"{entry.FileName}/" : entry.FileName.ToString(), Everything)]
            : [];
    }

    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };

    private string Full(string path) => Path.Combine(Directory, path);

    /// <summary>
    /// Whether the server of that directory was started then: a standby, a copy or a primary that was failed over from has the same identifier, and the
    /// server that answers may be another one. The third line of postmaster.pid is the time in seconds (miscinit.c, CreateLockFile).
    /// </summary>
    public static bool RunsSince(string directory, long started)
    {
        try
        {
            return File.ReadLines(Path.Combine(directory, "postmaster.pid")).ElementAtOrDefault(2) is { } line
                && long.TryParse(line, CultureInfo.InvariantCulture, out var seconds) && Math.Abs(seconds - started) <= SlowStart;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The lock file is made some moments before the server notes its own start.</summary>
    private const int SlowStart = 30;

    /// <summary>
    /// The system identifier in that directory's control file: the first eight bytes of global/pg_control (ControlFileData,
    /// src/include/catalog/pg_control.h), or null where it cannot be read.
    /// </summary>
    public static string? SystemIdentifier(string directory)
    {
        try
        {
            Span<byte> head = stackalloc byte[8];
            using var handle = File.OpenHandle(Path.Combine(directory, "global", "pg_control"), options: FileOptions.None);
            return RandomAccess.Read(handle, head, 0) == head.Length
                ? System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(head).ToString()
                : null;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
