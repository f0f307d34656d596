using Kintsugi.Postgres.Checks;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Collations;

/// <summary>
/// The whole story of a changed collation as one case, in the one right order: what rests on it is rebuilt, materialized views are filled
/// again, and the recorded version is refreshed last, because that only silences the warning (ALTER COLLATION, "Notes").
/// </summary>
public sealed class RebuildForCollationRepair : IRepair
{
    public string Id => "rebuild-for-collation";
    public string Does => "rebuilds what rests on a changed collation, and records the new version last";
    public IReadOnlyList<FaultClass> Mends => [Faults.CollationChanged];
    public Grade Grade => Grade.Lossless;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (healing.Obstacle(Faults.UniqueViolated, Faults.RowMisrouted, Faults.HeapCorrupt, Faults.ToastCorrupt, Faults.TransactionStatusMissing,
            Faults.PageChecksum, Faults.PageInvalid, Faults.PageStale, Faults.FileMissing, Faults.FileTruncated) is { } open)
            return new Proposal.Refused($"{open.Fault.Id} is open on {open.Target.Name} and comes first: the version is recorded only when nothing lies any more");
        var indexes = Indexes(healing, patient);
        var (steps, broken) = (new List<Step>(), 0);
        foreach (var index in indexes)
        {
            var ground = await GroundProof.Of(index, patient, cancellationToken);
            if (ground is not Verdict.Sound)
                return new Proposal.Refused($"the table under {index.Name} could not be proven: "
                    + (ground is Verdict.Damaged sick ? sick.Findings[0].Evidence : ground.Why));
            broken += await IsBroken(index, patient, cancellationToken) ? 1 : 0;
            steps.Add(ReindexRepair.Rebuild(index, patient, healing.Database!) with
            {
                Why = "it was built in the order of the old version",
            });
        }
        steps.AddRange(Views(healing));
        steps.AddRange(Refresh(healing));
        return new Proposal.Planned(new Plan(Id, steps)
        {
            Case = healing.Id,
            Alters = [.. indexes.Select(index => index.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database)).DefaultIfEmpty(healing.Target)],
            Snapshot = indexes.Count == 0 ? SnapshotGrade.None : SnapshotGrade.Relation,
            NeedsWindow = steps.Any(step => step.Lock == "AccessExclusive"),
            Warnings = [$"{indexes.Count} indexes rest on it; amcheck shows {broken} of them out of order at this moment.", .. Told(healing)],
        });
    }

    private static List<Relation> Indexes(HealingCase healing, Patient patient) =>
        [.. healing.Findings.Where(finding => finding.Facts.GetValueOrDefault("kind") == "index")
            .Select(finding => patient.Relations.Find(finding.Target.ObjectSchema, finding.Target.Object))
            .OfType<Relation>().Where(index => index is { Kind: 'i', Index: not null }).DistinctBy(index => index.Oid)];

    private static async ValueTask<bool> IsBroken(Relation index, Patient patient, CancellationToken cancellationToken)
    {
        var check = new BTreeCheck();
        if (index.AccessMethod != "btree" || check.Needs.LackIn(patient) is not null)
            return false;
        var portion = new Portion(index.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database)) { Relation = index };
        return await check.Examine(portion, patient, cancellationToken) is Verdict.Damaged;
    }

    private static IEnumerable<Step> Views(HealingCase healing) => healing.Findings
        .SelectMany(finding => finding.Facts.GetValueOrDefault("materialized view")?.Split('\n') ?? []).Distinct()
        .Select(view => new Step(UnboundedSqlStep.Name, $"REFRESH MATERIALIZED VIEW {view}")
        {
            Database = healing.Database,
            Lock = "AccessExclusive",
            Why = "its query compares or sorts by the changed collation",
        });

    private static IEnumerable<Step> Refresh(HealingCase healing) => healing.Findings
        .Where(finding => !finding.Facts.ContainsKey("kind")).Select(finding => finding.Facts["collation"]).Distinct()
        .Select(collation => new Step(SqlStep.Name, collation == "default"
            ? $"ALTER DATABASE {Quote.Identifier(healing.Database!)} REFRESH COLLATION VERSION"
            : $"ALTER COLLATION {collation} REFRESH VERSION")
        {
            Database = healing.Database,
            Lock = "none",
            Why = "everything that rests on it is in the new order now",
        });

    private static IEnumerable<string> Told(HealingCase healing) => healing.Findings
        .Where(finding => finding.Facts.GetValueOrDefault("kind") is "partition" or "check")
        .Select(finding => $"{finding.Target.Name} {finding.Target.Rule}: {finding.Hint}");
}
