namespace Kintsugi.Lab.Damage;

/// <summary>A `_ccnew` index beside its valid twin: what an interrupted REINDEX CONCURRENTLY leaves.</summary>
public sealed class ReindexLeftover() : SqlInjury(
    "reindex-leftover",
    "REINDEX INDEX CONCURRENTLY was cancelled or its server died: the transient copy stays, invalid, and slows every write.",
    Faults.IndexInvalid, new InjuryTarget("public", "movies", "movies_shelf_title_idx_ccnew"),
    [
        "CREATE INDEX movies_shelf_title_idx_ccnew ON movies (shelf_title)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'movies_shelf_title_idx_ccnew'::regclass",
    ],
    "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 'movies_shelf_title_idx_ccnew'::regclass");
