namespace Kintsugi.Lab.Damage;

/// <summary>Two rows with one key under a unique index that knows one of them: rebuilding it fails with 23505.</summary>
public sealed class DuplicatesUnderUniqueIndex : SqlInjury
{
    public DuplicatesUnderUniqueIndex()
        : base(
            "unique-duplicates",
            "A unique index missed an entry for a while, so a second row with the same key was let in.",
            Faults.UniqueViolated, new InjuryTarget("public", "users", "users_handle_key"),
            [
                "UPDATE pg_index SET indisready = false WHERE indexrelid = 'users_handle_key'::regclass",
                "INSERT INTO users (id, handle, email, joined_on) VALUES (900001, 'user7', 'other7@example.org', '2026-01-01')",
                "UPDATE pg_index SET indisready = true WHERE indexrelid = 'users_handle_key'::regclass",
            ],
            "SELECT count(*) = 2 FROM users WHERE handle || '' = 'user7'")
    {
        // The second row has no entry, which heapallindexed sees first.
        Alike = [Faults.IndexCorrupt];
    }
}
