namespace Kintsugi;

/// <summary>A kind of damage, named for what is wrong: the only join between checks and repairs.</summary>
/// <param name="Id">The stable name in JSON, configuration and metrics.</param>
/// <param name="Title">One phrase for people.</param>
/// <param name="Layer">The layer of trust that the damage breaks.</param>
/// <param name="Severity">How bad it usually is.</param>
/// <param name="Advice">Advice concerns the server's settings or history: it never turns the exit code by itself.</param>
public sealed record FaultClass(string Id, string Title, Layer Layer, Severity Severity, bool Advice = false);

/// <summary>Every fault class that Kintsugi knows. The identifiers are promises to users.</summary>
public static class Faults
{
    public static readonly FaultClass PageChecksum =
        new("page-checksum", "a page's stored checksum is wrong", Layer.Storage, Severity.Critical);
    public static readonly FaultClass PageInvalid =
        new("page-invalid", "a page is impossible or belongs elsewhere", Layer.Storage, Severity.Critical);
    public static readonly FaultClass FileMissing =
        new("file-missing", "a relation's file is missing", Layer.Storage, Severity.Critical);
    public static readonly FaultClass FileTruncated =
        new("file-truncated", "a relation's file is too short", Layer.Storage, Severity.Critical);
    public static readonly FaultClass PageStale =
        new("page-stale", "a page is older than the WAL says", Layer.Storage, Severity.Critical);
    public static readonly FaultClass ClusterFileCorrupt =
        new("cluster-file-corrupt", "a file of the whole cluster is damaged", Layer.Storage, Severity.Critical);
    public static readonly FaultClass CatalogInconsistent =
        new("catalog-inconsistent", "system catalogs contradict each other", Layer.Catalog, Severity.Critical);
    public static readonly FaultClass StatisticsCorrupt =
        new("statistics-corrupt", "planner statistics are nonsense or unreadable", Layer.Catalog, Severity.Warning);
    public static readonly FaultClass HeapCorrupt =
        new("heap-corrupt", "a table's tuples are damaged", Layer.Heap, Severity.Critical);
    public static readonly FaultClass ToastCorrupt =
        new("toast-corrupt", "an out-of-line value is damaged", Layer.Heap, Severity.Critical);
    public static readonly FaultClass TransactionStatusMissing =
        new("transaction-status-missing", "the status of transactions is lost", Layer.Heap, Severity.Critical);
    public static readonly FaultClass IndexCorrupt =
        new("index-corrupt", "an index does not agree with its table or itself", Layer.Index, Severity.Critical);
    public static readonly FaultClass IndexInvalid =
        new("index-invalid", "an index was left invalid by a failed build", Layer.Index, Severity.Warning);
    public static readonly FaultClass CollationChanged =
        new("collation-changed", "an index was built under another collation version", Layer.Index, Severity.Warning);
    public static readonly FaultClass VisibilityMapCorrupt =
        new("visibility-map-corrupt", "the visibility map lies", Layer.Map, Severity.Critical);
    public static readonly FaultClass FreeSpaceMapCorrupt =
        new("free-space-map-corrupt", "the free space map is damaged", Layer.Map, Severity.Warning);
    public static readonly FaultClass UniqueViolated =
        new("unique-violated", "duplicates under a unique index or exclusion constraint", Layer.Uniqueness, Severity.Critical);
    public static readonly FaultClass RowOrphaned =
        new("row-orphaned", "rows refer to parents that do not exist", Layer.Reference, Severity.Warning);
    public static readonly FaultClass RowMisrouted =
        new("row-misrouted", "rows lie in the wrong partition", Layer.Reference, Severity.Critical);
    public static readonly FaultClass ConstraintUnenforced =
        new("constraint-unenforced", "a constraint is not enforced", Layer.Reference, Severity.Warning);
    public static readonly FaultClass CheckViolated =
        new("check-violated", "rows violate a CHECK constraint", Layer.Value, Severity.Warning);
    public static readonly FaultClass NullForbidden =
        new("null-forbidden", "a NOT NULL column holds NULL", Layer.Value, Severity.Warning);
    public static readonly FaultClass ValueNotInEnum =
        new("value-not-in-enum", "a value is not among the allowed ones", Layer.Value, Severity.Warning);
    public static readonly FaultClass JsonInvalid =
        new("json-invalid", "a JSON document does not match its schema", Layer.Value, Severity.Warning);
    public static readonly FaultClass TextInvalid =
        new("text-invalid", "text is not valid in the database's encoding", Layer.Value, Severity.Critical);
    public static readonly FaultClass GeneratedStale =
        new("generated-stale", "a generated column differs from its expression", Layer.Value, Severity.Warning);
    public static readonly FaultClass RuleViolated =
        new("rule-violated", "rows break the owner's own rule", Layer.Value, Severity.Warning);
    public static readonly FaultClass SequenceBehind =
        new("sequence-behind", "a sequence's next value is already used", Layer.Value, Severity.Warning);
    public static readonly FaultClass SequenceExhausting =
        new("sequence-exhausting", "a sequence or its column is near its end", Layer.Value, Severity.Warning);
    public static readonly FaultClass SettingUnsafe =
        new("setting-unsafe", "a setting endangers data", Layer.Server, Severity.Warning, Advice: true);
    public static readonly FaultClass ChecksumsOff =
        new("checksums-off", "data checksums are off", Layer.Server, Severity.Info, Advice: true);
    public static readonly FaultClass WraparoundNear =
        new("wraparound-near", "transaction ids are near wraparound", Layer.Server, Severity.Warning, Advice: true);
    public static readonly FaultClass ServerAnomaly =
        new("server-anomaly", "the server's counters are out of the ordinary", Layer.Server, Severity.Warning, Advice: true);
    public static readonly FaultClass CorruptionLogged =
        new("corruption-logged", "the server's log speaks of corruption", Layer.Server, Severity.Warning, Advice: true);
    public static readonly FaultClass KnownBug =
        new("known-bug", "this server version damages such objects", Layer.Server, Severity.Warning, Advice: true);

    public static IReadOnlyList<FaultClass> All { get; } =
    [
        PageChecksum, PageInvalid, FileMissing, FileTruncated, PageStale, ClusterFileCorrupt, CatalogInconsistent, StatisticsCorrupt,
        HeapCorrupt, ToastCorrupt, TransactionStatusMissing, IndexCorrupt, IndexInvalid, CollationChanged, VisibilityMapCorrupt,
        FreeSpaceMapCorrupt, UniqueViolated, RowOrphaned, RowMisrouted, ConstraintUnenforced, CheckViolated, NullForbidden,
        ValueNotInEnum, JsonInvalid, TextInvalid, GeneratedStale, RuleViolated, SequenceBehind, SequenceExhausting, SettingUnsafe,
        ChecksumsOff, WraparoundNear, ServerAnomaly, CorruptionLogged, KnownBug,
    ];

    /// <summary>The class of that id, or null: ids come from plan files and ledgers of other versions.</summary>
    public static FaultClass? Find(string id) => All.FirstOrDefault(fault => fault.Id == id);
}
