using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>
/// Asks whether the parents of orphans are hidden or lost rather than absent: one parent whose header or page is damaged makes
/// orphans of all its children, and to remove these would multiply the loss.
/// </summary>
internal static class HiddenParents
{
    private const int Probed = 20;

    /// <summary>The reverse of reading the heap alone: every plan but the index is forbidden, briefly.</summary>
    private const string IndexAlone =
        "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL "
            + "enable_mergejoin = off; "
        + "SET LOCAL enable_material = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL statement_timeout = 10000";

    /// <summary>What speaks for hidden or lost parents, or null; and where it was looked for.</summary>
    public static async ValueTask<(string? Suspect, string Probed)> Look(
        ForeignKey key, RowsFound found, Patient patient, CancellationToken cancellationToken)
    {
        if (key.Period)
            return (null, "nothing");
        if (await ByIndex(key, found, patient, cancellationToken) is { } hidden)
            return (hidden, "index");
        try
        {
            var (dead, searched) = await DeadParents.Look(key, [.. found.Sample.Take(Probed).Select(row => row.Place)], patient, cancellationToken);
            return (dead, searched ? "index and pages" : "index");
        }
        catch (PatientException problem) when (SqlStates.MeansDamage(problem))
        {
            return ($"reading the pages of {key.Parent.Schema}.{key.Parent.Name} failed: {problem.Message}", "index and pages");
        }
        catch (PatientException problem) when (!problem.ConnectionLost && !cancellationToken.IsCancellationRequested)
        {
            // Pages that cannot be taken apart, or not in time: the search says nothing, and the finding says that it was not
            // made.
            return (null, "index");
        }
    }

    private static async ValueTask<string?> ByIndex(
        ForeignKey key, RowsFound found, Patient patient, CancellationToken cancellationToken)
    {
        var sql = $"SELECT {Quote.Identifier(key.Child.Name)}.ctid::pg_catalog.text FROM ONLY {Quote.Name(key.Child)} "
            + $"WHERE {Quote.Identifier(key.Child.Name)}.ctid = ANY ($1::pg_catalog.text[]::pg_catalog.tid[]) "
            + $"AND EXISTS (SELECT FROM {key.ParentFrom} WHERE {string.Join(" AND ", key.Comparisons)})";
        var places = found.Sample.Take(Probed).Select(row => row.Place).ToArray();
        try
        {
            var known = await patient.Session.InTransaction(IndexAlone,
                session => session.Rows(sql, row => row.GetString(0), cancellationToken, (object)places), cancellationToken);
            return known.Count == 0
                ? null
                : $"an index of {key.Parent.Schema}.{key.Parent.Name} still finds the parent of {known.Count} of "
                    + $"{places.Length} sample rows, "
                    + "though its table shows none: the parents are hidden or lost, not absent";
        }
        catch (PatientException problem) when (SqlStates.MeansDamage(problem))
        {
            return $"asking the indexes of {key.Parent.Schema}.{key.Parent.Name} for the parents failed: {problem.Message}";
        }
        catch (PatientException problem)
            when (problem.SqlState == SqlStates.QueryCanceled && !cancellationToken.IsCancellationRequested)
        {
            return $"asking the indexes of {key.Parent.Schema}.{key.Parent.Name} for the parents did not end within 10 s";
        }
    }
}
