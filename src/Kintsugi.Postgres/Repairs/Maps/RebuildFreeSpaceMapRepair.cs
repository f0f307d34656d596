using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Maps;

/// <summary>
/// Lets VACUUM write the free space map again, and a checkpoint bring it to its file. The server takes a bad page of it for an empty one, so
/// nothing is lost meanwhile. The fork is never removed: from 16 on a VACUUM of a running server then fails.
/// </summary>
public sealed class RebuildFreeSpaceMapRepair : IRepair
{
    public const string Name = "rebuild-free-space-map";

    public string Id => Name;
    public string Does => "lets VACUUM write the free space map again";
    public IReadOnlyList<FaultClass> Mends => [Faults.FreeSpaceMapCorrupt, Faults.PageChecksum, Faults.PageInvalid, Faults.PageStale];
    public Grade Grade => Grade.Lossless;

    public ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (MapGround.Of(healing, patient, "fsm", Faults.FreeSpaceMapCorrupt) is not { } relation)
            return Refuse($"{healing.Target.Name}: not a free space map");
        if (MapGround.Obstacle(healing) is { } obstacle)
            return Refuse(obstacle);
        if (relation.Index is not null)
            return ValueTask.FromResult<Proposal>(new Proposal.Planned(
                MapGround.Plan(Id, healing, [ReindexRepair.Rebuild(relation, patient, healing.Database!)])));
        if (!relation.HasHeap)
            return Refuse($"{healing.Target.Name} is neither a table nor an index");
        var vacuum = new Step(UnboundedSqlStep.Name, MapGround.Vacuum(relation))
        {
            Database = healing.Database,
            Lock = "ShareUpdateExclusive",
            Why = "every page is looked at, and the room on it noted anew",
        };
        return ValueTask.FromResult<Proposal>(new Proposal.Planned(MapGround.Plan(Id, healing, [vacuum, MapGround.Checkpoint(healing)])));
    }

    private static ValueTask<Proposal> Refuse(string reason) => ValueTask.FromResult<Proposal>(new Proposal.Refused(reason));
}
