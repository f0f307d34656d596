using Kintsugi.Postgres.Checks;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs;

/// <summary>
/// Drops what a failed concurrent rebuild left behind: invalid, named _ccnew or _ccold, with a valid index of the same definition beside it.
/// Any other invalid index is somebody's intention: its drop or rebuild is proposed, and a person approves.
/// </summary>
public sealed class DropLeftoverIndexRepair : IRepair
{
    public string Id => "drop-leftover-index";
    public string Does => "drops an invalid index that a failed build left behind";
    public IReadOnlyList<FaultClass> Mends => [Faults.IndexInvalid];
    public Grade Grade => Grade.Lossless;

    public ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var target = healing.Target;
        if (patient.Relations.Find(target.ObjectSchema, target.Object) is not { Index: { } facts } index)
            return Refuse($"{target.Name} is not in the catalog any more");
        if (facts.Valid && facts.Ready && facts.Live)
            return Refuse($"{target.Name} is valid now");
        if (facts.Building)
            return Refuse($"an index is being built on {target.Relation} at this moment");
        if (facts.Primary || facts.Exclusion)
            return Refuse($"{target.Name} belongs to a constraint: drop or rebuild that by hand");
        var debris = Leftover.Of(index.Name) is not null && facts.HasValidTwin;
        return ValueTask.FromResult<Proposal>(new Proposal.Planned(new Plan(Id,
        [
            new Step(DropIndexStep.Name, $"DROP INDEX CONCURRENTLY {Quote.Name(index)}")
            {
                Database = healing.Database,
                Lock = "ShareUpdateExclusive",
                Why = facts.HasValidTwin
                    ? "it serves no query, costs every write, and a valid index of the same definition stands beside it"
                    : "it serves no query and costs every write; its definition is kept in the snapshot",
                Arguments = new Dictionary<string, string> { ["index"] = Quote.Name(index) },
            },
        ])
        {
            Case = healing.Id,
            Alters = [target],
            Snapshot = SnapshotGrade.None,
            NeedsApproval = debris ? null
                : facts.HasValidTwin ? "an invalid twin that no rebuild of this kind leaves: somebody may want it"
                : "the index was wanted when its build failed; rebuild it instead where it still is (REINDEX INDEX CONCURRENTLY)",
        }));
    }

    private static ValueTask<Proposal> Refuse(string reason) => ValueTask.FromResult<Proposal>(new Proposal.Refused(reason));
}
