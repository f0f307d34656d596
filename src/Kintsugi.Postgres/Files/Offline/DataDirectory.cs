using System.Buffers.Binary;
using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;

namespace Kintsugi.Postgres.Files.Offline;

/// <summary>A directory cannot be examined as a data directory; the message says why and what to do.</summary>
public sealed class DataDirectoryException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A data directory without its server: stopped, a snapshot, a backup, or one that will not start.</summary>
public sealed class DataDirectory
{
    private DataDirectory(string path, int major, ControlFile? control, bool trusted)
    {
        Path = path;
        Major = major;
        Control = control;
        IsControlTrusted = trusted;
        Files = new LocalFiles(path);
    }

    public string Path { get; }
    public int Major { get; }

    /// <summary>global/pg_control; null where it is missing or cannot be decoded.</summary>
    public ControlFile? Control { get; }

    /// <summary>Its CRC is right, so that its fields can be believed.</summary>
    public bool IsControlTrusted { get; }
    public LocalFiles Files { get; }

    /// <summary>Stopped cleanly: then nothing waits in the WAL, and what is on disk is all there is.</summary>
    public bool IsShutDown => IsControlTrusted && Control!.State is ClusterState.ShutDown or ClusterState.ShutDownInRecovery
        && !Files.Exists("backup_label");

    /// <summary>The process of a server that runs on this directory now, or null.</summary>
    public int? ServerPid => LivePostmaster(Path);

    /// <exception cref="DataDirectoryException">Not a data directory, no rights, or one that this build cannot read.</exception>
    public static DataDirectory Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        if (!Directory.Exists(full))
            throw new DataDirectoryException(
                $"{full} is no directory: name the data directory that holds PG_VERSION, base and global");
        try
        {
            // Listing needs the right that reading files below needs as well.
            if (!Directory.EnumerateFileSystemEntries(full).Any(entry => System.IO.Path.GetFileName(entry)
                is "PG_VERSION" or "global" or "base"))
                throw new DataDirectoryException(
                    $"{full} is not a data directory: it has neither PG_VERSION nor global nor base");
            var bytes = ReadControl(full);
            var control = bytes is null ? null : Decode(full, bytes);
            // A CRC stands behind the control file, nothing behind PG_VERSION.
            var major = (control?.IsCrcRight == true ? MajorOf(control) : null) ?? MajorOf(full) ?? MajorOf(control)
                ?? WalRemains.MajorOf(full);
            return major is null
                ? throw new DataDirectoryException(
                $"{full} tells no version: PG_VERSION, global/pg_control and pg_wal are missing or unreadable")
                : major < 13
                    ? throw new DataDirectoryException(
                    $"{full} is a data directory of PostgreSQL {major}; Kintsugi knows 13 and later")
                    : new DataDirectory(full, major.Value, control, control?.IsCrcRight == true);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new DataDirectoryException(
                $"{full} may not be read by this user: {refused.Message} Run as the user that owns it", refused);
        }
    }

    private static byte[]? ReadControl(string directory)
    {
        var file = System.IO.Path.Combine(directory, "global", "pg_control");
        return File.Exists(file) ? File.ReadAllBytes(file) : null;
    }

    private static ControlFile? Decode(string directory, byte[] bytes)
    {
        if (bytes.Length >= 12 && BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(8)) is 1300 or 1700 or 1800)
            throw new DataDirectoryException($"{directory} was written on a big-endian machine; run on one like it");
        var flaws = new List<Flaw>();
        var control = ControlFile.Read(bytes, flaws);
        if (control is { IsCrcRight: true } && control.BlockSize != PageFormat.Size)
            throw new DataDirectoryException(
                $"{directory} has blocks of {control.BlockSize} bytes; Kintsugi knows {PageFormat.Size}, which all packages are "
                    + $"built with");
        if (control is { IsCrcRight: true } && control.SegmentBlocks != PageFormat.BlocksPerSegment)
            throw new DataDirectoryException(
                $"{directory} has segments of {control.SegmentBlocks} blocks; Kintsugi knows 131072 (1 GB)");
        return control;
    }

    private static int? MajorOf(string directory)
    {
        var file = System.IO.Path.Combine(directory, "PG_VERSION");
        return File.Exists(file) && int.TryParse(File.ReadAllText(file).Trim(), NumberStyles.None, CultureInfo.InvariantCulture,
            out var major)
            ? major
            : null;
    }

    private static int? MajorOf(ControlFile? control) =>
        Enumerable.Range(13, 6).Where(major => ControlFileText.CatalogVersionOf(major) == control?.CatalogVersion).Select(major => (int?)major).FirstOrDefault();

    private static int? LivePostmaster(string directory)
    {
        try
        {
            var file = System.IO.Path.Combine(directory, "postmaster.pid");
            if (!File.Exists(file) || !int.TryParse(File.ReadLines(file).FirstOrDefault(), CultureInfo.InvariantCulture,
                out var pid))
                return null;
            if (!Directory.Exists($"/proc/{pid}"))
                return null;
            // A recycled pid may belong to anybody: a server works in its data directory. Where that may not be seen, it is taken
            // for one.
            var at = new FileInfo($"/proc/{pid}/cwd").LinkTarget;
            return at is null || at == directory || at == new DirectoryInfo(directory).ResolveLinkTarget(true)?.FullName ? pid
                : null;
        }
        catch (Exception unseen) when (unseen is UnauthorizedAccessException or IOException)
        {
            return 0;
        }
    }
}
