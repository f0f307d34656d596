namespace Kintsugi;

/// <summary>What a snapshot holds, of what, why, and from which moment.</summary>
public sealed record SnapshotManifest
{
    public string Id { get; init; } = "";

    /// <summary>The case for which it was taken, or null for one that a person asked for.</summary>
    public string? Case { get; init; }

    /// <summary>One sentence.</summary>
    public required string Why { get; init; }
    public required SnapshotGrade Grade { get; init; }

    /// <summary>The system identifier of the cluster.</summary>
    public required string Server { get; init; }
    public string? Version { get; init; }
    public string? Database { get; init; }
    public DateTimeOffset Created { get; init; }

    /// <summary>The WAL insert position when the copy was begun; what changed later than it may be in the copy or not.</summary>
    public string? Lsn { get; init; }

    /// <summary>The WAL position up to which a cluster snapshot must be replayed to be consistent.</summary>
    public string? EndLsn { get; init; }
    public int Timeline { get; init; }
    public IReadOnlyList<SnapshotObject> Objects { get; init; } = [];
    public IReadOnlyList<SnapshotFile> Files { get; init; } = [];

    /// <summary>Directories without files.</summary>
    public IReadOnlyList<string> Directories { get; init; } = [];

    /// <summary>Tablespace OID to the directory that it had in the living cluster.</summary>
    public IReadOnlyDictionary<string, string> Tablespaces { get; init; } = new Dictionary<string, string>();

    /// <summary>What a person should know: no CHECKPOINT, torn pages.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
    public bool Complete { get; init; }
    public long Bytes => Files.Sum(file => file.Bytes);
}

/// <param name="Name">Schema and name.</param>
/// <param name="Path">pg_relation_filepath at that moment, or null for an object without storage.</param>
/// <param name="Definition">pg_get_indexdef, or null.</param>
public sealed record SnapshotObject(string Name, string Kind, string? Path, string? Definition);

/// <param name="Name">Relative to the snapshot, with forward slashes.</param>
public sealed record SnapshotFile(string Name, long Bytes, string Sha256, string? Note);
