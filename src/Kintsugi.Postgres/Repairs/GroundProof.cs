using Kintsugi.Postgres.Checks;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs;

/// <summary>
/// Proves the heap that an index serves before anything is built on it: verify_heapam with TOAST where it exists; on 13, the weaker
/// full read of every value.
/// </summary>
internal static class GroundProof
{
    public static async ValueTask<Verdict> Of(Relation index, Patient patient, CancellationToken cancellationToken)
    {
        if (patient.Relations.Find(index.HeapOid) is not { } heap)
            return new Verdict.Unchecked("its table is not in the catalog");
        return WithoutLargeValues(heap, await OfTable(heap, patient, cancellationToken));
    }

    /// <summary>The table itself, its large values with it.</summary>
    public static async ValueTask<Verdict> OfTable(Relation heap, Patient patient, CancellationToken cancellationToken)
    {
        var check = new HeapCheck();
        return check.Needs.LackIn(patient) is null
            ? await check.Examine(
                new Portion(heap.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database)) { Relation = heap }, patient, cancellationToken)
            : await ReadAll(heap, patient, cancellationToken);
    }

    /// <summary>A large value that is lost is no ground of an index: its row is there, and is indexed as before.</summary>
    private static Verdict WithoutLargeValues(Relation heap, Verdict verdict) =>
        verdict is Verdict.Damaged damaged && !heap.IsToast
            ? Verdict.From([.. damaged.Findings.Where(finding => finding.Fault != Faults.ToastCorrupt)])
            : verdict;

    private static async ValueTask<Verdict> ReadAll(Relation heap, Patient patient, CancellationToken cancellationToken)
    {
        try
        {
            return await patient.Session.InTransaction<Verdict>(
                "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off",
                async session =>
                {
                    // Every value is fetched and printed: what cannot be read raises.
                    await session.Rows($"SELECT pg_catalog.sum(pg_catalog.length(t::pg_catalog.text)) FROM ONLY {Quote.Name(heap)} t",
                        _ => 0, cancellationToken);
                    return Verdict.Sound.Instance;
                }, cancellationToken);
        }
        catch (PatientException problem) when (SqlStates.MeansDamage(problem))
        {
            return new Verdict.Damaged(new Finding(Faults.HeapCorrupt,
                heap.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database), problem.Message) { SqlState = problem.SqlState });
        }
        catch (PatientException problem) when (!problem.ConnectionLost)
        {
            return new Verdict.Unchecked($"its table could not be read in full: {problem.Message}");
        }
    }
}
