namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// A moment in the WAL. Every page that is read after it was asked for holds at least all changes up to <see cref="Lsn"/>; a page whose own
/// LSN is not beyond it is exactly as it was at that moment. Two such pages can be held against each other whatever the server does meanwhile.
/// </summary>
/// <param name="Lsn">The moment.</param>
/// <param name="EndedBefore">Every transaction older than this had ended by then.</param>
internal readonly record struct Moment(ulong Lsn, uint EndedBefore);

/// <summary>A relation and where its file lies, by the catalog when the examination began.</summary>
internal sealed record Located(Relation Relation, string Path);

/// <summary>One way to see pages: as they are on disk, or as they are in shared buffers.</summary>
internal interface IPageView
{
    /// <summary>
    /// Pages come whole, under the server's own lock, and their checksums mean nothing: the server computes one when it writes the page.
    /// </summary>
    bool IsLocked { get; }

    /// <summary>The latest moment up to which this view shows every change; null when it cannot be told.</summary>
    ValueTask<Moment?> Now(CancellationToken cancellationToken);

    ValueTask<long> Blocks(Located relation, CancellationToken cancellationToken);

    /// <returns>Whole pages read; fewer than the buffer holds at the end of the relation.</returns>
    ValueTask<int> Read(Located relation, long first, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>
    /// Whether the end of that table has not moved since the latest moment: VACUUM cuts off empty pages at once,
    /// while the index pages that it cleaned before may still be on their way to the disk.
    /// </summary>
    ValueTask<bool> EndStands(Located table, CancellationToken cancellationToken);
}
