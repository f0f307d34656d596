namespace Kintsugi.Postgres.Checks;

/// <summary>
/// Whether what was looked at has been dropped since: a check that reads it by number is then told that no such relation can be opened, in the words
/// that also tell of a lost catalog row.
/// </summary>
internal static class Dropped
{
    public static Verdict.NotApplicable Meanwhile { get; } = new("dropped meanwhile");

    public static async ValueTask<bool> Is(Relation relation, Patient patient, CancellationToken cancellationToken)
    {
        uint[] wanted = relation.HeapOid == 0 ? [relation.Oid] : [relation.Oid, relation.HeapOid];
        return (await patient.Session.Rows("SELECT pg_catalog.count(*) FROM pg_catalog.pg_class WHERE oid = ANY ($1)", row => row.GetInt64(0),
            cancellationToken, wanted))[0] < wanted.Length;
    }
}
