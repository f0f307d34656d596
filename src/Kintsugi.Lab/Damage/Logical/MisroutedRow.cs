namespace Kintsugi.Lab.Damage;

/// <summary>A row in a partition whose bounds exclude it: queries that prune never see it.</summary>
public sealed class MisroutedRow() : SqlInjury(
    "row-misrouted",
    "A partition was attached over a constraint that was not really checked, or a hash function changed between versions.",
    Faults.RowMisrouted, new InjuryTarget("public", "watch_history_2025h1"),
    [
        "UPDATE pg_class SET relispartition = false WHERE oid = 'watch_history_2025h1'::regclass",
        "INSERT INTO watch_history_2025h1 VALUES (9200001, '2025-09-09', 1, 1, 60, 'tv'), (9200002, '2025-09-10', 2, "
        + "1, 60, 'tv')",
        "UPDATE pg_class SET relispartition = true WHERE oid = 'watch_history_2025h1'::regclass",
    ],
    """
    SELECT (SELECT count(*) = 2 FROM ONLY watch_history_2025h1 WHERE watched_at >= '2025-09-01')
       AND (SELECT count(*) = 0 FROM watch_history WHERE watched_at = '2025-09-09')
    """);
