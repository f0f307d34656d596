namespace Kintsugi;

/// <summary>Where snapshots are kept: it knows copies and sums, not what they are copies of.</summary>
public interface ISnapshotShelf
{
    /// <summary>Begins a snapshot that nobody sees before it is complete.</summary>
    /// <param name="bytes">What will be copied, at most: room is checked first.</param>
    /// <exception cref="HealingException">There is not enough room, or the directory cannot be written.</exception>
    ValueTask<ISnapshotDraft> Begin(SnapshotManifest manifest, long bytes, CancellationToken cancellationToken);
}

/// <summary>Looks at a copy before its sum is taken, and may put right what was torn while it was copied.</summary>
/// <returns>What to note in the manifest, or null.</returns>
public delegate ValueTask<string?> AmendCopy(FileStream copy, CancellationToken cancellationToken);

/// <summary>A snapshot in the making. Disposed before it is complete, it leaves nothing behind.</summary>
public interface ISnapshotDraft : IAsyncDisposable
{
    string Id { get; }

    /// <summary>Copies a file of this machine, its bytes exactly as they are.</summary>
    /// <param name="name">Where in the snapshot, with forward slashes.</param>
    /// <param name="amend">Looks at the copy before its sum is taken; what it returns is noted in the manifest.</param>
    /// <returns>False when there is no such file (any more).</returns>
    ValueTask<bool> Copy(
        string source, string name, AmendCopy? amend, CancellationToken cancellationToken);

    /// <summary>Writes a file from pieces that come from elsewhere.</summary>
    ValueTask Write(
        string name, IAsyncEnumerable<ReadOnlyMemory<byte>> pieces, AmendCopy? amend, CancellationToken cancellationToken);

    /// <summary>A directory that must be there although no file is in it.</summary>
    void AddDirectory(string name);

    /// <summary>Makes it durable and lets it appear under its id, whole.</summary>
    /// <param name="finish">Adds what is only known at the end.</param>
    ValueTask Complete(Func<SnapshotManifest, SnapshotManifest> finish, CancellationToken cancellationToken);
}
