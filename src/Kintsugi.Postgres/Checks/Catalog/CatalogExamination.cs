using System.Data.Common;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>Asks the probes of one portion, each on its own where one fails, and makes findings of what stays after a second
/// look.</summary>
internal static class CatalogExamination
{
    /// <summary>
    /// The catalogs' own indexes may be what is damaged: the heap is the witness. Without indexes a nested loop reads a catalog once for each row of another, and
    /// that is what the planner takes where a database was just restored and its catalogs were never analyzed (minutes for 10,000 tables).
    /// </summary>
    internal const string HeapAlone =
        "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL "
            + "enable_nestloop = off; SET LOCAL enable_hashjoin = on; SET LOCAL jit = off";

    private sealed record Answer(CatalogProbe Probe, IReadOnlyList<CatalogRow> Rows, PatientException? Problem);

    public static async ValueTask<Verdict> Examine(CatalogPortion portion, Patient patient, CancellationToken cancellationToken)
    {
        var answers = await Ask(portion.Probes, patient, cancellationToken);
        var suspicious = answers.Where(answer => answer.Rows.Count > 0).Select(answer => answer.Probe).ToList();
        // Some columns are updated in place, outside of any snapshot (relhastriggers, relfrozenxid): what is gone in a fresh one was no damage.
        if (suspicious.Count > 0)
            answers = [.. Confirm(answers, await Ask(suspicious, patient, cancellationToken))];
        var findings = new List<Finding>();
        foreach (var answer in answers.Where(answer => answer.Rows.Count > 0))
            findings.AddRange(await CatalogFindings.Of(answer.Probe, answer.Rows, patient, cancellationToken));
        findings.AddRange(answers.Where(answer => answer.Problem is { } problem && SqlStates.MeansDamage(problem))
            .Select(answer => Unreadable(answer, portion.Target)));
        var refusals = answers.Where(answer => answer.Problem is { } problem && !SqlStates.MeansDamage(problem)).ToList();
        if (refusals.Count == 0)
            return Verdict.From(findings);
        var why = $"{string.Join(", ", refusals.Select(answer => answer.Probe.Id))}: {Why(refusals[0].Problem!, patient)}";
        return findings.Count == 0
            ? new Verdict.Unchecked(why)
            : new Verdict.Damaged([.. findings.Select((finding, i) => i == 0
                ? finding with { Evidence = $"{finding.Evidence} (not examined: {why})" } : finding)]);
    }

    private static string Why(PatientException problem, Patient patient) => problem.SqlState == SqlStates.InsufficientPrivilege
        ? $"role {patient.Can.User} may not read it; GRANT pg_read_all_data TO {patient.Can.User} (14 and later), or connect "
            + $"as a superuser"
        : $"{problem.Message} (SQLSTATE {problem.SqlState})";

    private static IEnumerable<Answer> Confirm(IReadOnlyList<Answer> first, IReadOnlyList<Answer> second)
    {
        foreach (var answer in first)
        {
            var again = second.FirstOrDefault(other => other.Probe == answer.Probe);
            if (again is null || again.Problem is not null)
                yield return again ?? answer;
            else
                yield return answer with { Rows = [.. answer.Rows.Where(row => again.Rows.Any(other => Same(row, other)))] };
        }
    }

    private static bool Same(CatalogRow one, CatalogRow other) => one.Relation == other.Relation && one.Thing == other.Thing;

    /// <summary>All in one transaction; when that fails, each in its own, so that one damaged corner does not hide the
    /// rest.</summary>
    private static async ValueTask<IReadOnlyList<Answer>> Ask(
        IReadOnlyList<CatalogProbe> probes, Patient patient, CancellationToken cancellationToken)
    {
        try
        {
            return await patient.Session.InTransaction(HeapAlone, async session =>
            {
                var answers = new List<Answer>();
                foreach (var probe in probes)
                    answers.Add(new Answer(probe, await session.Rows(probe.Sql, Read, cancellationToken), null));
                return answers;
            }, cancellationToken);
        }
        catch (PatientException problem) when (!problem.ConnectionLost)
        {
            return probes.Count == 1
                ? [new Answer(probes[0], [], problem)]
                : [.. await AskEach(probes, patient, cancellationToken)];
        }
    }

    private static async ValueTask<IReadOnlyList<Answer>> AskEach(
        IReadOnlyList<CatalogProbe> probes, Patient patient, CancellationToken cancellationToken)
    {
        var answers = new List<Answer>();
        foreach (var probe in probes)
            answers.AddRange(await Ask([probe], patient, cancellationToken));
        return answers;
    }

    private static CatalogRow Read(DbDataReader row) => new(
        row.IsDBNull(0) ? 0 : row.GetFieldValue<uint>(0),
        row.IsDBNull(1) ? "?" : row.GetString(1),
        row.IsDBNull(2) ? null : row.GetString(2),
        row.IsDBNull(3) ? "" : row.GetString(3),
        row.FieldCount > 4 && !row.IsDBNull(4) ? row.GetString(4) : null);

    private static Finding Unreadable(Answer answer, Target target) =>
        new(answer.Probe.Fault, target with { Rule = answer.Probe.Id },
            $"{answer.Probe.Catalog} cannot be read for rule {answer.Probe.Id}: {answer.Problem!.Message}")
        {
            SqlState = answer.Problem.SqlState,
            Hint = "take a snapshot first (kintsugi snapshots create), then let the heap and btree checks say which page or "
                + "index is damaged",
        };
}
