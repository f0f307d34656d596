namespace Kintsugi.Lab.Damage;

/// <summary>A row that its primary key does not know: looking it up finds nothing, a scan finds it.</summary>
public sealed class BTreeEntryMissing() : SqlInjury(
    "btree-entry-missing",
    "An index update was lost: a torn write, a crash with fsync lying, or a bug such as CREATE INDEX CONCURRENTLY in 14.0-14.3.",
    Faults.IndexCorrupt, new InjuryTarget("public", "movies", "movies_pkey"),
    [
        // While the index counts as not ready, writers pass it by. There and back again leaves the row as it was.
        "UPDATE pg_index SET indisready = false WHERE indexrelid = 'movies_pkey'::regclass",
        """
        UPDATE movies SET catalogue_number = -catalogue_number WHERE id + 0 = 777 AND title <> '';
        UPDATE movies SET catalogue_number = -catalogue_number WHERE id + 0 = 777 AND title <> '';
        """,
        "UPDATE pg_index SET indisready = true WHERE indexrelid = 'movies_pkey'::regclass",
    ],
    // The title keeps the planner from answering out of the index alone.
    """
    SELECT NOT EXISTS (SELECT FROM movies WHERE id = 777)
       AND (SELECT count(*) = 1 FROM movies WHERE id + 0 = 777 AND title <> '' AND catalogue_number > 0)
    """);
