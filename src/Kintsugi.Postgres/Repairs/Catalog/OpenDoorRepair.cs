using Kintsugi.Postgres.Operating.Locked;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>
/// Rebuilds the index of a system catalog without which nobody can connect, from its table (HEALING.md section 5). For patients that are known by their files
/// alone although a server runs on them.
/// </summary>
public sealed class OpenDoorRepair : IRepair
{
    public string Id => "open-door";
    public string Does => "rebuilds an index of the system catalogs that keeps everybody from connecting";
    public IReadOnlyList<FaultClass> Mends =>
        [Faults.PageChecksum, Faults.PageInvalid, Faults.PageStale, Faults.FileMissing, Faults.FileTruncated, Faults.CatalogInconsistent];
    public Grade Grade => Grade.Lossless;

    public ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken) => ValueTask.FromResult(Propose(healing, patient));

    private Proposal Propose(HealingCase healing, Patient patient)
    {
        if (patient is not { Sql: null, Can.ServerRuns: true, Inventory: { } inventory })
            return new Proposal.Refused("this server lets sessions in, or does not run");
        // A database of that name must be entered for the rebuild; shared catalogs are rebuilt from any.
        var database = healing.Database ?? inventory.Database;
        if (healing.Target is { Rule: "connect" })
            return Planned(healing, database, $"REINDEX SYSTEM {Quote.Identifier(database)}",
                "no page shows why nobody gets in; where sessions get in past system indexes, one of these is the reason", [healing.Target]);
        if (inventory.Find(healing.Target.ObjectSchema ?? healing.Target.Schema, healing.Target.Object ?? healing.Target.Relation)
            is not { Kind: 'i', Schema: "pg_catalog" or "pg_toast" } index || !(index.IsCatalog || index.IsShared))
            return new Proposal.Refused($"{healing.Target.Name} is not an index of a system catalog: it is healed through the server once somebody gets in");
        if (healing.Neighbours.FirstOrDefault(finding => finding.Target.Kind != TargetKind.Index) is { } sick)
            return new Proposal.Refused($"{sick.Target.Name} under it is damaged ({sick.Fault.Id}): an index cannot be rebuilt from it", Final: true);
        return Planned(healing, database, $"REINDEX INDEX {Quote.Name(index)}", "without this index nobody can connect", [healing.Target]);
    }

    private Proposal.Planned Planned(HealingCase healing, string database, string statement, string why, IReadOnlyList<Target> alters) => new(new Plan(Id,
    [
        new Step(LockedRoom.StepKind, statement)
        {
            Database = database,
            Lock = "AccessExclusive",
            Why = $"{why}; meanwhile ignore_system_indexes is on in postgresql.auto.conf, and sessions read system catalogs from end to end",
        },
    ])
    {
        Case = healing.Id,
        Alters = [.. alters.Select(target => target with { Fork = null, Block = null, Offset = null })],
        Snapshot = SnapshotGrade.Relation,
    });
}
