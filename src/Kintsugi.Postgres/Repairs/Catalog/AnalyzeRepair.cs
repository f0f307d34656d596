using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>Statistics are derived from their table: ANALYZE makes them anew. A TOAST table, which has no columns to look at, is vacuumed.</summary>
public sealed class AnalyzeRepair : IRepair
{
    public string Id => "analyze";
    public string Does => "gathers the planner's statistics again";
    public IReadOnlyList<FaultClass> Mends => [Faults.StatisticsCorrupt];
    public Grade Grade => Grade.Lossless;

    public ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var steps = new List<Step>();
        foreach (var target in healing.Findings.Select(finding => finding.Target).DistinctBy(target => target.Name))
        {
            var found = patient.Relations.Find(target.ObjectSchema ?? target.Schema, target.Object ?? target.Relation);
            if ((found is { Index: not null } ? patient.Relations.Find(found.HeapOid) : found) is not { HasHeap: true } table)
                return ValueTask.FromResult<Proposal>(new Proposal.Refused($"{target.Name} is not a table that ANALYZE could look at"));
            if (healing.Neighbours.FirstOrDefault(other => other.Fault == Faults.HeapCorrupt || other.Fault == Faults.ToastCorrupt) is { } sick)
                return ValueTask.FromResult<Proposal>(new Proposal.Refused($"{sick.Fault.Id} is open on {sick.Target.Name}: reading it may crash the server"));
            steps.Add(new Step(UnboundedSqlStep.Name,
                table.IsToast ? $"VACUUM (TRUNCATE false) {Quote.Name(table)}" : $"ANALYZE {Quote.Name(table)}")
            {
                Database = healing.Database,
                Lock = "ShareUpdateExclusive",
                Why = "the planner's numbers are derived from the table, and cannot be",
            });
        }
        return ValueTask.FromResult<Proposal>(new Proposal.Planned(new Plan(Id, [.. steps.DistinctBy(step => step.Do)])
        {
            Case = healing.Id,
            Alters = [healing.Target],
            Snapshot = SnapshotGrade.None,
        }));
    }
}
