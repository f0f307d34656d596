namespace Kintsugi;

/// <summary>What an examined thing is, in the words of the JSON output.</summary>
public enum TargetKind
{
    Server,
    Database,
    Table,
    Partition,
    MaterializedView,
    Index,
    Toast,
    Sequence,
    Catalog,
    Setting,
}

/// <summary>A place: a server, a database, a relation and, where it is known, the fork, block, offset, column, key or rule.</summary>
/// <remarks>Names, never OIDs or filenodes: a target must mean the same tomorrow.</remarks>
public sealed record Target
{
    /// <summary>The system identifier of the cluster (pg_control_system), or a data directory's.</summary>
    public required string Server { get; init; }
    public required TargetKind Kind { get; init; }
    public string? Database { get; init; }
    public string? Schema { get; init; }

    /// <summary>The table that a person knows, also where the object is its index, its TOAST table or its sequence.</summary>
    public string? Relation { get; init; }

    /// <summary>The index, TOAST table, sequence or table itself.</summary>
    public string? Object { get; init; }

    /// <summary>The schema of <see cref="Object"/>, where it differs from the table's (pg_toast).</summary>
    public string? ObjectSchema { get; init; }

    /// <summary>main, vm, fsm or init.</summary>
    public string? Fork { get; init; }
    public long? Block { get; init; }
    public int? Offset { get; init; }
    public string? Column { get; init; }

    /// <summary>The constraint, rule, setting or advisory that was examined.</summary>
    public string? Rule { get; init; }

    /// <summary>How people and logs name it: schema.object, with the database in front only when it stands alone.</summary>
    public string Name => Object is not null ? (ObjectSchema ?? Schema) is { } schema ? $"{schema}.{Object}" : Object
        : Relation is not null ? $"{Schema}.{Relation}"
        : Database ?? "server";
}
