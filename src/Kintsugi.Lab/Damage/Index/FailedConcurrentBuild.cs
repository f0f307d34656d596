namespace Kintsugi.Lab.Damage;

/// <summary>An invalid index that a failed CREATE UNIQUE INDEX CONCURRENTLY left behind; every write still pays for it.</summary>
public sealed class FailedConcurrentBuild : SqlInjury
{
    public FailedConcurrentBuild()
        : base(
            "cic-failed",
            "CREATE UNIQUE INDEX CONCURRENTLY met a duplicate; its half-built index stays until somebody drops it.",
            Faults.IndexInvalid, new InjuryTarget("public", "movies", "movies_minutes_key"),
            ["CREATE UNIQUE INDEX CONCURRENTLY movies_minutes_key ON movies (minutes)"],
            "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 'movies_minutes_key'::regclass")
    {
        LastFailsWith = Npgsql.PostgresErrorCodes.UniqueViolation;
    }
}
