namespace Kintsugi.Postgres.Files.Checksums;

/// <summary>One page that does not carry the checksum of its bytes.</summary>
/// <param name="Block">Counted over the whole fork.</param>
public sealed record BadPage(string Path, long Block, int Stored, int Computed);

/// <summary>What one pass over a data directory saw.</summary>
/// <param name="Unreadable">Files that end inside a block or that the device would not give, with the reason.</param>
public sealed record ChecksumReport(
    long Files, long Blocks, IReadOnlyList<BadPage> Bad, IReadOnlyDictionary<string, string> Unreadable)
{
    /// <summary>Pages that were given their checksum (enable); those that had it already are not written.</summary>
    public long Written { get; init; }
    public bool IsClean => Bad.Count == 0 && Unreadable.Count == 0;
}

/// <summary>Told while a pass runs.</summary>
public sealed record ChecksumProgress(long BytesDone, long BytesTotal);
