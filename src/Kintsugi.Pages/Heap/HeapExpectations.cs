namespace Kintsugi.Pages.Heap;

/// <summary>How a transaction ended by the commit log (two bits in pg_xact).</summary>
public enum XidOutcome
{
    /// <summary>In progress, or crashed.</summary>
    InProgress = 0,

    /// <summary>Committed.</summary>
    Committed = 1,

    /// <summary>Aborted.</summary>
    Aborted = 2,

    /// <summary>A committed subtransaction whose parent decides.</summary>
    SubCommitted = 3,

    /// <summary>The log does not reach that far or could not be read.</summary>
    Unknown = 4,
}

/// <summary>
/// What is known from outside the page. Whatever is left out is not checked. Of the horizons, the old ones must be read
/// before the page and the next ones after it, or a living table is accused.
/// </summary>
public sealed record HeapExpectations
{
    /// <summary>Block number, for t_ctid; null when not known.</summary>
    public uint? Block { get; init; }

    /// <summary>The table's columns, dropped ones included; null to check no attribute.</summary>
    public HeapColumn[]? Columns { get; init; }

    /// <summary>The next transaction id to be handed out, or 0.</summary>
    public uint NextXid { get; init; }

    /// <summary>pg_class.relfrozenxid, or 0.</summary>
    public uint FrozenXid { get; init; }

    /// <summary>The next multixact id, or 0.</summary>
    public uint NextMulti { get; init; }

    /// <summary>pg_class.relminmxid, or 0.</summary>
    public uint MinimumMulti { get; init; }

    /// <summary>End of the WAL that exists, or 0.</summary>
    public ulong WalEnd { get; init; }

    /// <summary>pg_class.reltoastrelid: 0 when the table has none, null when not known (also while it is rewritten).</summary>
    public uint? ToastRelation { get; init; }

    /// <summary>The two visibility map bits of the block, 1 all-visible and 2 all-frozen; null when not known.</summary>
    public int? MapBits { get; init; }

    /// <summary>The commit log; null when not at hand.</summary>
    public Func<uint, XidOutcome>? CommitLog { get; init; }

    /// <summary>Every transaction older than this had ended, and its ending was written, before the log was read; 0 when not known.</summary>
    public uint EndedBefore { get; init; }

    /// <summary>Whether the database's text is UTF-8; false also when that is not known.</summary>
    public bool IsUtf8 { get; init; }

    /// <summary>Whether the server is 13, where compression bits were part of the size.</summary>
    public bool IsBeforeCompressionMethods { get; init; }

    /// <summary>Nothing is known but the bytes.</summary>
    public static HeapExpectations Nothing { get; } = new();
}
