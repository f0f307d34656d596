namespace Kintsugi;

/// <summary>
/// What every page of a file was when the file was last read whole and found right: its LSN and checksum, ten bytes for 8,192. A page that has an
/// older LSN since was overwritten with an old copy, or its last write was lost, which no checksum sees. And a file whose pages are all as they
/// were need not be proven again by the checks that read what is in it: see <see cref="FileStand"/>.
/// </summary>
public interface IPageLedger
{
    /// <summary>When this pass began: all that it keeps bears this time, so that what two passes saw can be told apart.</summary>
    DateTimeOffset Began { get; }

    /// <param name="cluster">The data directory that is meant: its system identifier and path. A copy has pages of its own.</param>
    /// <param name="paths">Files, each by its path.</param>
    /// <param name="segment">The one segment that is meant, or null for all: each comes with more than a MiB for a gigabyte.</param>
    /// <param name="cancellationToken">Before the search.</param>
    ValueTask<IReadOnlyList<PageRecord>> Find(
        string cluster, IReadOnlyCollection<string> paths, int? segment, CancellationToken cancellationToken);

    /// <summary>Replaces what was known of these segments, and forgets other files of the same relations.</summary>
    ValueTask Keep(string cluster, IReadOnlyCollection<PageRecord> records, CancellationToken cancellationToken);

    /// <summary>Segments of that timeline that had a page at least that young and stand as they are since that time or longer, the oldest first.</summary>
    ValueTask<IReadOnlyList<PageRecord>> Younger(
        string cluster, ulong lsn, uint timeline, DateTimeOffset since, int most, CancellationToken cancellationToken);

    /// <summary>Since when each file of the data directory stands as it was last seen, by its path.</summary>
    ValueTask<IReadOnlyDictionary<string, FileStand>> Stands(string cluster, CancellationToken cancellationToken);
}

/// <summary>One segment (a gigabyte at most) of the main fork of a relation.</summary>
/// <param name="Path">pg_relation_filepath.</param>
/// <param name="Relation">The OID that the file belonged to: numbers of files come back after the counter has gone round.</param>
/// <param name="Timeline">On another one pages may rightly be older.</param>
/// <param name="Pages">Ten bytes for each page: LSN and checksum, little-endian; zeroes for a page that was never written.</param>
/// <param name="Since">When the first of the passes began that all saw these very pages.</param>
/// <param name="Seen">When the latest of them began.</param>
public sealed record PageRecord(
    string Path, int Segment, uint Relation, uint Timeline, ulong HighestLsn, ReadOnlyMemory<byte> Pages, DateTimeOffset Since, DateTimeOffset Seen)
{
    public const int BytesPerPage = 10;
}

/// <summary>
/// Every page of the file was the same in all passes that began from <see cref="Since"/> to <see cref="Seen"/>, by LSN and checksum. A check that
/// proved the relation in that time need not read it again, as long as what else its answer rests on is the same: the other files that it reads,
/// the server's minor version, collation versions, operator classes. Never for unlogged relations, which have no record.
/// </summary>
public sealed record FileStand(string Path, uint Relation, DateTimeOffset Since, DateTimeOffset Seen, ulong HighestLsn);

/// <summary>A source whose patients remember pages.</summary>
public interface IRemembersPages
{
    /// <summary>Set before the first patient is opened.</summary>
    IPageLedger? PageLedger { get; set; }
}
