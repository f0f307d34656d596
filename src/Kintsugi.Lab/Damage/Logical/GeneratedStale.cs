namespace Kintsugi.Lab.Damage;

/// <summary>Stored generated values that their expression no longer gives.</summary>
public sealed class GeneratedStale() : SqlInjury(
    "generated-stale",
    "An IMMUTABLE function under a generated column was changed, or a bit flipped in the stored value.",
    Faults.GeneratedStale, new InjuryTarget("public", "movies"),
    [
        // Without the mark in pg_attribute the column takes any value.
        "UPDATE pg_attribute SET attgenerated = '' WHERE attrelid = 'movies'::regclass AND attname = 'title_length'",
        "UPDATE movies SET title_length = title_length + 100 WHERE id IN (31, 32, 33)",
        "UPDATE pg_attribute SET attgenerated = 's' WHERE attrelid = 'movies'::regclass AND attname = 'title_length'",
        // It did not happen a moment ago: what is on disk is what the server knows.
        "CHECKPOINT",
    ],
    "SELECT count(*) = 3 FROM movies WHERE title_length <> length(title)");

/// <summary>A sequence whose next value is taken: the next insert fails.</summary>
public sealed class SequenceBehind() : SqlInjury(
    "sequence-behind",
    "Rows were restored or copied with their ids, and nobody moved the sequence on.",
    Faults.SequenceBehind, new InjuryTarget("public", "users", "users_id_seq"),
    ["SELECT setval('users_id_seq', 5)"],
    "SELECT last_value = 5 AND (SELECT max(id) > 5 FROM users) FROM users_id_seq");
