using System.Globalization;
using Kintsugi.Pages.Description;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Cli.Runtime;

/// <summary>One page as it is on disk, and where it came from.</summary>
internal sealed record FetchedPage(string Source, byte[] Bytes, long Block, int Fork, Relation? Relation, bool HasChecksums)
{
    /// <summary>What it is a page of, for whoever takes it apart.</summary>
    public PageSubject Subject => new()
    {
        Block = (uint)Block,
        Fork = Fork,
        Index = Relation is { Index: not null } index ? IndexKinds.Of(index.AccessMethod) : IndexKind.None,
        IsToast = Relation?.IsToast ?? false,
        HasChecksums = HasChecksums,
    };
}

/// <summary>Reads one page: beside the server, through it, or out of a file.</summary>
internal static class PageFetch
{
    private const int PageSize = 8192;

    /// <summary>RELSEG_SIZE: a relation's file is cut after so many blocks (1 GB).</summary>
    private const long SegmentBlocks = 131_072;

    /// <summary>By the number that the server has for them.</summary>
    public static IReadOnlyList<string> Forks { get; } = ["main", "fsm", "vm", "init"];

    private static readonly string[] Suffixes = ["", "_fsm", "_vm", "_init"];

    public static int ForkNumber(string name) => Math.Max(0, Forks.ToList().IndexOf(name));

    public static async Task<FetchedPage> OfRelation(
        Relation relation, long block, int fork, Patient patient, CancellationToken cancellationToken)
    {
        var name = $"{relation.Schema}.{relation.Name}";
        if (relation.Path is null)
            throw new UsageException($"where the file of {name} lies is not known to this role");
        var segment = block / SegmentBlocks;
        var path = relation.Path + Suffixes[fork] + (segment > 0 ? $".{segment}" : "");
        var offset = block % SegmentBlocks * PageSize;
        var bytes = new byte[PageSize];
        var read = patient.Files is { } files
            ? await files.Read(path, offset, bytes, cancellationToken)
            : await ThroughServer(patient.Session, path, offset, bytes, cancellationToken);
        return read == PageSize
            ? new FetchedPage($"{name}, {path}", bytes, block, fork, relation, patient.Can.DataChecksums != false)
            : throw new UsageException($"{name} has no block {block} in {path}: {read} bytes are there, a page has {PageSize}");
    }

    public static async Task<FetchedPage> OfFile(string path, long block, int fork, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = new byte[PageSize];
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var read = 0;
            while (read < PageSize && await RandomAccess.ReadAsync(handle, bytes.AsMemory(read), (block * PageSize) + read, cancellationToken) is > 0 and var more)
                read += more;
            if (read < PageSize)
                throw new UsageException($"{path} has no block {block}: it is {RandomAccess.GetLength(handle)} bytes long");
            // The sum of a page counts its block from the beginning of the relation.
            return new FetchedPage(path, bytes, (SegmentOf(path) * SegmentBlocks) + block, ForkOf(path, fork), null, true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {problem.Message}");
        }
    }

    private static long SegmentOf(string path) =>
        long.TryParse(Path.GetExtension(path).TrimStart('.'), NumberStyles.None, CultureInfo.InvariantCulture, out var segment) ? segment : 0;

    private static int ForkOf(string path, int asked) =>
        asked > 0 ? asked : Math.Max(0, Array.FindIndex(Suffixes, 1, suffix => Path.GetFileNameWithoutExtension(path).EndsWith(suffix, StringComparison.Ordinal)));

    private static async ValueTask<int> ThroughServer(
        IReadSession session, string path, long offset, byte[] bytes, CancellationToken cancellationToken)
    {
        var rows = await session.Rows("SELECT pg_catalog.pg_read_binary_file($1, $2, $3, true)",
            row => row.IsDBNull(0) ? [] : row.GetFieldValue<byte[]>(0), cancellationToken, path, offset, (long)PageSize);
        rows[0].CopyTo(bytes, 0);
        return rows[0].Length;
    }
}
