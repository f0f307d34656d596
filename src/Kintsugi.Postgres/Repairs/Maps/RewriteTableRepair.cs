using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Maps;

/// <summary>
/// VACUUM FULL, for those who want their table rewritten: named by a person (heal --repair rewrite-table), approved, in a maintenance window where there are
/// windows. Never planned by itself, for a map is rebuilt without any of it; never while something is open on the table or its heap is not proven, because a
/// rewrite makes damage look sound and frees the file that it could be mended from (HAZARDS H11).
/// </summary>
public sealed class RewriteTableRepair : IRepair
{
    public const string Name = "rewrite-table";

    public string Id => Name;
    public string Does => "writes the table, its indexes and maps anew (VACUUM FULL); only when named";
    public IReadOnlyList<FaultClass> Mends => [Faults.VisibilityMapCorrupt, Faults.FreeSpaceMapCorrupt];
    public Grade Grade => Grade.Lossless;
    public bool OnlyWhenNamed => true;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var (fork, own) = healing.Fault == Faults.VisibilityMapCorrupt ? ("vm", Faults.VisibilityMapCorrupt) : ("fsm", Faults.FreeSpaceMapCorrupt);
        if (MapGround.Of(healing, patient, fork, own) is not { HasHeap: true, IsCatalog: false, IsToast: false } relation)
            return new Proposal.Refused($"{healing.Target.Name}: not a map of a table of yours");
        if (MapGround.Obstacle(healing) is { } obstacle)
            return new Proposal.Refused(obstacle);
        var ground = await GroundProof.OfTable(relation, patient, cancellationToken);
        if (ground is not Verdict.Sound)
            return new Proposal.Refused($"the table could not be proven, and a rewrite would make its damage look sound: "
                + (ground is Verdict.Damaged sick ? sick.Findings[0].Evidence : ground.Why));
        var bytes = (await patient.Session.Rows("SELECT pg_catalog.pg_total_relation_size($1::pg_catalog.regclass)", row => row.GetInt64(0), cancellationToken, relation.Oid))[0];
        return new Proposal.Planned(MapGround.Plan(Id, healing,
        [
            new Step(UnboundedSqlStep.Name, $"VACUUM (FULL, ANALYZE) {Quote.Name(relation)}")
            {
                Database = healing.Database,
                Lock = "AccessExclusive",
                Why = "every row is copied into a new file, and every index and map is made anew; nobody reads or writes the table meanwhile",
            },
            MapGround.Checkpoint(healing),
        ]) with
        {
            DiskBytes = bytes + (bytes / 10),
            NeedsWindow = true,
            NeedsApproval = "VACUUM FULL rewrites the whole table under a lock that nobody passes",
            Warnings = [$"{RebuildVisibilityMapRepair.Name} and {RebuildFreeSpaceMapRepair.Name} mend the same without rewriting a row; the old file, and what it could still tell, is gone afterwards"],
        });
    }
}
