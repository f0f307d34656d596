using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Maps;

/// <summary>
/// What stands against a VACUUM of ours: it prunes the dead or hidden rows that would heal an open case of storage, heap or missing parents.
/// Damage to the map itself does not: it is what is mended.
/// </summary>
internal static class MapGround
{
    private static readonly FaultClass[] Sick =
    [
        Faults.PageChecksum, Faults.PageInvalid, Faults.PageStale, Faults.FileMissing, Faults.FileTruncated, Faults.HeapCorrupt,
        Faults.ToastCorrupt, Faults.TransactionStatusMissing, Faults.RowOrphaned, Faults.CatalogInconsistent,
    ];

    /// <returns>Why no VACUUM may run there now, or null.</returns>
    public static string? Obstacle(HealingCase healing)
    {
        var sick = healing.Neighbours.Concat(healing.Witnesses)
            .FirstOrDefault(other => Sick.Contains(other.Fault) && other.Target.Fork is null or "main");
        return sick is null ? null
            : $"{sick.Fault.Id} is open on {sick.Target.Name}: the VACUUM that rebuilds the map would remove dead rows that may heal it. That case first";
    }

    /// <summary>The relation whose map is meant, when every finding of the case is about that one fork.</summary>
    public static Relation? Of(HealingCase healing, Patient patient, string fork, FaultClass own) =>
        healing.Findings.All(finding => finding.Target.Fork == fork || (finding.Fault == own && finding.Target.Fork is null))
        && healing.Findings.Select(finding => (finding.Target.ObjectSchema, finding.Target.Object)).Distinct().Count() == 1
            ? patient.Relations.Find(healing.Target.ObjectSchema ?? healing.Target.Schema, healing.Target.Object ?? healing.Target.Relation)
            : null;

    /// <summary>The map is derived: its definition is all that a copy would have to hold.</summary>
    public static Plan Plan(string repair, HealingCase healing, IReadOnlyList<Step> steps) => new(repair, steps)
    {
        Case = healing.Id,
        Alters = [healing.Target with { Block = null, Offset = null }],
        Snapshot = SnapshotGrade.Relation,
    };

    public static Step Checkpoint(HealingCase healing) => new(Operating.UnboundedSqlStep.Name, "CHECKPOINT")
    {
        Database = healing.Database,
        Lock = "none",
        Why = "the page is good in memory; its file gets it now",
    };

    public static string Vacuum(Relation relation) => $"VACUUM (DISABLE_PAGE_SKIPPING, TRUNCATE false) {Quote.Name(relation)}";
}
