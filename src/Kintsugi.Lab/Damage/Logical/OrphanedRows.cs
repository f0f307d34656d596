namespace Kintsugi.Lab.Damage;

/// <summary>Orphans of a foreign key: made as a careless bulk load makes them, with triggers out of the way.</summary>
public abstract class OrphanedRows(string name, string accident, InjuryTarget target, string statement, string took) : SqlInjury(
    name, accident, Faults.RowOrphaned, target, ["SET session_replication_role = replica; " + statement], took);

/// <summary>Rows that refer to a film that does not exist.</summary>
public sealed class OrphanSingle() : OrphanedRows(
    "orphan-single",
    "A bulk load ran with session_replication_role = replica, and its parents were never loaded.",
    new InjuryTarget("public", "movie_genres"),
    "INSERT INTO movie_genres VALUES (8000001, 1, 1), (8000002, 2, 1), (8000003, 3, 1)",
    "SELECT count(*) = 3 FROM movie_genres c WHERE NOT EXISTS (SELECT FROM movies p WHERE p.id = c.movie_id)");

/// <summary>Episodes of a season that does not exist; the key has two columns.</summary>
public sealed class OrphanComposite() : OrphanedRows(
    "orphan-composite",
    "A restore of single tables brought the children back without their parents.",
    new InjuryTarget("public", "episodes"),
    "INSERT INTO episodes (series_id, season, episode, title) VALUES (1, 77, 1, 'Nowhere'), (2, 77, 1, 'Nowhere else')",
    """
    SELECT count(*) = 2 FROM episodes c WHERE series_id IS NOT NULL AND season IS NOT NULL
       AND NOT EXISTS (SELECT FROM seasons p WHERE p.series_id = c.series_id AND p.season = c.season)
    """);

/// <summary>Rows of a partition that refer to a user who does not exist.</summary>
public sealed class OrphanInPartition() : OrphanedRows(
    "orphan-partitioned",
    "A partition was loaded elsewhere and attached, its triggers disabled meanwhile.",
    new InjuryTarget("public", "watch_history_2025h2"),
    "INSERT INTO watch_history VALUES (9000001, '2025-08-01', 700001, 1, 10, 'tv'), (9000002, '2025-08-02', 700002, 1, 10, 'tv')",
    "SELECT count(*) = 2 FROM watch_history c WHERE NOT EXISTS (SELECT FROM users p WHERE p.id = c.user_id)");

/// <summary>A sequel of a film that does not exist, in the same table.</summary>
public sealed class OrphanSelfReference() : OrphanedRows(
    "orphan-self-reference",
    "A clean-up script deleted rows with triggers disabled.",
    new InjuryTarget("public", "movies"),
    "UPDATE movies SET sequel_of = 8000009 WHERE id IN (21, 22)",
    "SELECT count(*) = 2 FROM movies c WHERE sequel_of IS NOT NULL AND NOT EXISTS (SELECT FROM movies p WHERE p.id = "
    + "c.sequel_of)");

/// <summary>A season without its series: its episodes hang on it, two levels deep.</summary>
public sealed class OrphanTwoLevels() : OrphanedRows(
    "orphan-two-levels",
    "Parents were deleted by hand while cascades were off: grandchildren remain below orphans.",
    new InjuryTarget("public", "seasons"),
    """
    INSERT INTO seasons VALUES (8000005, 1, 'Ghost season');
    INSERT INTO episodes (series_id, season, episode, title) SELECT 8000005, 1, n, 'Ghost ' || n FROM generate_series(1, 3) AS n
    """,
    """
    SELECT count(*) = 1 FROM seasons c WHERE NOT EXISTS (SELECT FROM movies p WHERE p.id = c.series_id)
       AND (SELECT count(*) = 3 FROM episodes e WHERE e.series_id = c.series_id)
    """);

/// <summary>Notes on a viewing that does not exist, where the parent is the partitioned table.</summary>
public sealed class OrphanOfPartitionedParent() : OrphanedRows(
    "orphan-of-partitioned",
    "An old partition was dropped with its foreign keys bypassed.",
    new InjuryTarget("public", "watch_notes"),
    "INSERT INTO watch_notes VALUES (9100001, '2025-03-01', 'lost viewing')",
    """
    SELECT count(*) = 1 FROM watch_notes c
     WHERE NOT EXISTS (SELECT FROM watch_history p WHERE p.id = c.watch_id AND p.watched_at = c.watched_at)
    """);
