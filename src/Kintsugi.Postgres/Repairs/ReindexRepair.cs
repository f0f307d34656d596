using Kintsugi.Postgres.Checks;
using Kintsugi.Postgres.Checks.Catalog;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs;

/// <summary>
/// Rebuilds indexes from their tables: concurrently where the server can, plainly where it must be (system catalogs, exclusion constraints,
/// versions whose concurrent rebuild is itself broken). The heap under the index is proven first: rebuilding over a sick heap destroys the
/// last witness of what is missing from it.
/// </summary>
public sealed class ReindexRepair : IRepair
{
    private static readonly FaultClass[] Ground =
    [
        Faults.HeapCorrupt, Faults.ToastCorrupt, Faults.TransactionStatusMissing, Faults.PageChecksum, Faults.PageInvalid, Faults.PageStale,
        Faults.FileMissing, Faults.FileTruncated,
    ];

    public string Id => "reindex";
    public string Does => "rebuilds the index from its table";
    public IReadOnlyList<FaultClass> Mends =>
        [Faults.IndexCorrupt, Faults.PageChecksum, Faults.PageInvalid, Faults.PageStale, Faults.FileMissing, Faults.FileTruncated, Faults.IndexInvalid];
    public Grade Grade => Grade.Lossless;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var steps = new List<Step>();
        var heavy = false;
        long bytes = 0;
        foreach (var target in healing.Findings.Select(finding => finding.Target).DistinctBy(target => target.Name))
        {
            var accused = patient.Relations.Find(target.ObjectSchema, target.Object);
            if (accused is { Kind: 'r' or 'm' or 't' or 'S', Path: not null } table && (healing.Fault == Faults.FileMissing || healing.Fault == Faults.FileTruncated))
                return new Proposal.Refused(LostFile.ByHand([.. healing.Findings.Where(finding => finding.Target.Name == target.Name)], table));
            if (accused is not { Index: not null, Kind: 'i' } index)
                return new Proposal.Refused(target.Kind == TargetKind.Index
                    ? $"{target.Name} is not in the catalog any more" : $"{target.Name} is not an index: nothing to rebuild it from");
            if (healing.Fault == Faults.IndexInvalid && await WhyNotWanted(index, patient, cancellationToken) is { } why)
                return new Proposal.Refused(why);
            if (healing.Neighbours.FirstOrDefault(f => IsUnder(patient.Relations.Find(index.HeapOid), f)) is { } sick)
                return new Proposal.Refused(
                    $"{sick.Target.Name} under it is damaged ({sick.Fault.Id}): the index is the last witness of its rows, so the table comes first",
                    Final: true);
            if (!index.IsCatalog && await CatalogGround.Doubt([index.HeapOid, index.Oid], patient, cancellationToken) is { } doubt)
                return new Proposal.Refused($"{doubt}, and the index may be the last that knows", Final: true);
            var ground = await GroundProof.Of(index, patient, cancellationToken);
            if (ground is not Verdict.Sound)
                return new Proposal.Refused($"the table under {target.Name} could not be proven: "
                    + (ground is Verdict.Damaged sickness ? sickness.Findings[0].Evidence : ground.Why), Final: true);
            var step = Rebuild(index, patient, healing.Database!);
            heavy |= step.Lock == "AccessExclusive";
            bytes += await Size(index, patient, cancellationToken);
            steps.Add(step);
        }
        return new Proposal.Planned(new Plan(Id, steps)
        {
            Case = healing.Id,
            Alters = [.. healing.Findings.Select(f => f.Target with { Fork = null, Block = null, Offset = null }).Distinct()],
            Snapshot = SnapshotGrade.Relation,
            DiskBytes = bytes + (bytes / 10),
            NeedsWindow = heavy,
        });
    }

    /// <summary>An invalid index is rebuilt where the schema rests on it: whether another one is wanted still, its failed build leaves open.</summary>
    private static async ValueTask<string?> WhyNotWanted(Relation index, Patient patient, CancellationToken cancellationToken) =>
        index.Index!.Building ? "an index is being built on its table at this moment"
        : !index.Index.Live ? $"{index.Name} is half dropped: that cannot be turned back"
        : (await patient.Session.Rows("""
            SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.conindid = i.indexrelid) OR i.indisreplident
            FROM pg_catalog.pg_index i WHERE i.indexrelid = $1
            """, row => row.GetBoolean(0), cancellationToken, index.Oid)) is [true] ? null
        : $"no constraint, no foreign key and no replica identity rests on {index.Name}: whether it is wanted is not known";

    /// <summary>
    /// Whether that finding is in the heap that the index is built from. Lost large values do not stand under an index: a rebuild needs the
    /// heap's tuples, and a TOAST index is what its table's values are read through, so it goes before them.
    /// </summary>
    private static bool IsUnder(Relation? heap, Finding other) =>
        Ground.Contains(other.Fault) && other.Target.Fork is null or "main" && other.Target.Kind is not (TargetKind.Index or TargetKind.Sequence)
        && heap is not null && (other.Target.Object ?? other.Target.Relation) == heap.Name
        && (other.Target.ObjectSchema ?? other.Target.Schema) == heap.Schema
        && (other.Fault != Faults.ToastCorrupt || heap.IsToast);

    internal static Step Rebuild(Relation index, Patient patient, string database)
    {
        var name = Quote.Name(index);
        var plain = WhyPlain(index, patient);
        var arguments = new Dictionary<string, string>
        {
            ["index"] = name,
            ["table"] = patient.Relations.Find(index.HeapOid) is { } heap ? Quote.Name(heap) : "",
        };
        if (NeedsOwnPath(index, patient) && index.Owner.Length > 0)
            arguments[RunAs.OwnerArgument] = index.Owner;
        return plain is null
            ? new Step(RebuildIndexStep.Name, $"REINDEX INDEX CONCURRENTLY {name}")
            {
                Database = database,
                Lock = "ShareUpdateExclusive",
                Why = "the index does not agree with its table; readers and writers go on while it is rebuilt",
                Arguments = arguments,
            }
            : new Step(UnboundedSqlStep.Name, $"REINDEX INDEX {name}")
            {
                Database = database,
                Lock = "AccessExclusive",
                Why = $"the index does not agree with its table; rebuilt with a lock because {plain}",
                Arguments = arguments,
            };
    }

    private static string? WhyPlain(Relation index, Patient patient) =>
        index.IsCatalog || index.IsShared ? "system catalogs cannot be rebuilt concurrently"
        : index.Index!.Exclusion ? "an exclusion constraint cannot be rebuilt concurrently"
        : patient.Can.VersionNumber is >= 140000 and < 140004 ? $"concurrent rebuilds of {patient.Can.Version} lose rows (mended in 14.4)"
        : patient.Can.VersionNumber is >= 120000 and < 140002 && patient.Relations.Find(index.HeapOid) is { IsToast: true }
            && patient.Can.Major == 14 ? "concurrent rebuilds of TOAST indexes are unsafe before 14.2"
        : null;

    /// <summary>Up to 16 the session's search_path reaches into index expressions; 17 sets a safe one itself (release notes 17, "search_path").</summary>
    private static bool NeedsOwnPath(Relation index, Patient patient) =>
        patient.Can is { Major: <= 16, Superuser: true } && index is { IsCatalog: false, Index: { HasExpressions: true } or { HasPredicate: true } };

    private static async ValueTask<long> Size(Relation index, Patient patient, CancellationToken cancellationToken)
    {
        try
        {
            return (await patient.Session.Rows("SELECT pg_catalog.pg_relation_size($1::pg_catalog.regclass)",
                row => row.IsDBNull(0) ? 0 : row.GetInt64(0), cancellationToken, index.Oid))[0];
        }
        catch (PatientException problem) when (problem.SqlState is SqlStates.UndefinedFile)
        {
            // The file is what is missing: the planner's guess must do.
            return index.Pages * 8192;
        }
    }
}
