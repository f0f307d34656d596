using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Files.Checksums;

/// <summary>A file whose pages carry checksums.</summary>
/// <param name="Path">Below the data directory.</param>
/// <param name="Segment">Which gigabyte of its fork: block numbers count over the whole fork.</param>
public sealed record ChecksumFile(string Path, int Segment, long Length)
{
    public long Blocks => Length / PageFormat.Size;
    public long FirstBlock => Segment * (long)PageFormat.BlocksPerSegment;
}

/// <summary>The files that pg_checksums would read: all in global, base and the tablespaces but for those that have no
/// pages.</summary>
public static class ChecksumFiles
{
    /// <summary>Prefixes: pg_internal.init may carry a process id behind it.</summary>
    private static readonly string[] Skipped = ["pg_control", "pg_filenode.map", "pg_internal.init", "PG_VERSION", "pgsql_tmp",
        ".DS_Store"];

    /// <param name="directory">The data directory.</param>
    /// <param name="filenode">Only files of that number; null for all.</param>
    public static IReadOnlyList<ChecksumFile> List(DataDirectory directory, string? filenode)
    {
        var found = new List<ChecksumFile>();
        Walk(directory.Files, "global", filenode, found);
        Walk(directory.Files, "base", filenode, found);
        // Clusters of two versions can share a tablespace's location: only the own directory counts.
        var version = $"PG_{directory.Major}_{directory.Control?.CatalogVersion ?? 0}";
        foreach (var tablespace in directory.Files.List("pg_tblspc"))
            Walk(directory.Files, $"pg_tblspc/{tablespace.TrimEnd('/')}/{version}", filenode, found);
        return found;
    }

    private static void Walk(LocalFiles files, string path, string? filenode, List<ChecksumFile> found)
    {
        foreach (var entry in files.List(path))
        {
            if (Array.Exists(Skipped, name => entry.StartsWith(name, StringComparison.Ordinal)))
                continue;
            if (entry.EndsWith('/'))
                Walk(files, $"{path}/{entry[..^1]}", filenode, found);
            else if (Parse(entry) is var (number, segment) && (filenode is null || number == filenode)
                && files.Length($"{path}/{entry}") is >= 0 and var length)
                found.Add(new ChecksumFile($"{path}/{entry}", segment, length));
        }
    }

    /// <summary>16384, 16384_vm, 16384.1, 16384_fsm.1.</summary>
    private static (string Number, int Segment) Parse(string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var segment = dot >= 0 && int.TryParse(name.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture,
            out var number) ? number : 0;
        var bare = dot >= 0 ? name[..dot] : name;
        var fork = bare.IndexOf('_', StringComparison.Ordinal);
        return (fork >= 0 ? bare[..fork] : bare, segment);
    }
}
