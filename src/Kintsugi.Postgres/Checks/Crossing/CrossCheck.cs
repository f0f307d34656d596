using Kintsugi.Pages.Files;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>
/// Tables against their btrees from files that nobody writes: a stopped cluster, a snapshot of one, a backup that was recovered and stopped. Every row
/// that a new reader would see has its entry with the same key bytes, every entry leads to a place that can be its row, and each tree holds together.
/// The schema is read from the catalogs' files as well, so no server is needed. On a running server amcheck, index-entries and heap do this.
/// </summary>
public sealed class CrossCheck : ICheck
{
    public string Id => "cross-check";
    public string Proves => "in files that nobody writes, every row has its btree entries with the same keys, in order, and no entry is without its row";
    public Layer Layer => Layer.Index;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds { get; } = [Faults.IndexCorrupt, Faults.HeapCorrupt, Faults.ToastCorrupt, Faults.FileTruncated];
    public Needs Needs { get; } = new() { Sql = false, Files = true };

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        if (patient.IsLive || patient.Files?.Directory is not { } path)
            return [Whole(patient, new Verdict.NotApplicable("it reads files that nobody writes; on a running server btree and index-entries do this"))];
        var directory = DataDirectory.Open(path);
        if (WhyMoving(directory) is { } why)
            return [Whole(patient, new Verdict.Unchecked(why))];
        var schema = await RawSchema.Read(directory, patient.Relations, cancellationToken);
        return [.. patient.Relations.Relations.Where(relation => relation.HasHeap).SelectMany(heap => Divide(heap, schema, patient))];
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var cross = (CrossPortion)portion;
        var heap = portion.Relation!;
        var sides = cross.Shapes.Select(shape => new IndexSide(new Located(shape.Index, shape.Index.Path!), shape, shape.Index.Index!.HasPredicate)).ToList();
        try
        {
            return await new TableCross(cross, new Located(heap, heap.Path!), sides, DataDirectory.Open(patient.Files!.Directory!), patient)
                .Run(cancellationToken);
        }
        catch (IOException failed)
        {
            return new Verdict.Unchecked($"its files could not be read: {failed.Message}");
        }
    }

    private static IEnumerable<Portion> Divide(Relation heap, RawSchema schema, Patient patient)
    {
        var indexes = patient.Relations.IndexesOf(heap.Oid).Where(index => index is { Kind: 'i', AccessMethod: "btree" }).ToList();
        if (indexes.Count == 0)
            yield break;
        var columns = schema.ColumnsOf(heap);
        var shapes = new List<IndexShape>();
        foreach (var index in indexes)
        {
            var shape = schema.ShapeOf(index);
            if (WhyNot(index, shape) is { } verdict)
                yield return Eligible.Portion(index, patient) with { Settled = Eligible.Settle(index, patient) ?? verdict };
            if (shape is not null && index.Path is not null && index.Index is { Valid: true, Ready: true, Live: true })
                shapes.Add(shape);
        }
        yield return new CrossPortion(Eligible.Portion(heap, patient))
        {
            Shapes = shapes,
            Columns = columns,
            Weight = heap.Pages + indexes.Sum(index => index.Pages),
            StandsOn = [heap.Oid, .. shapes.Select(shape => shape.Index.Oid), .. RawSchema.Catalogs],
            Settled = Eligible.Settle(heap, patient) ?? (heap.AccessMethod is not ("heap" or "")
                    ? new Verdict.NotApplicable($"table access method {heap.AccessMethod} has pages of its own")
                : shapes.Count == 0 ? new Verdict.NotApplicable("none of its indexes can be held against it")
                : columns is null || heap.Path is null
                    ? new Verdict.Unchecked("the catalogs on disk do not have all of its columns, or not its file (see the check pages)")
                : null),
        };
    }

    /// <summary>What of an index stays open even when everything that can be compared agrees.</summary>
    private static Verdict? WhyNot(Relation index, IndexShape? shape) =>
        index.Index is not { Valid: true, Ready: true, Live: true } ? new Verdict.NotApplicable("not valid or not ready: see index-state")
        : shape is null ? new Verdict.Unchecked("the catalogs on disk do not tell its columns, or a missing value of one of them cannot be read")
        : index.Index.HasPredicate ? new Verdict.Unchecked("partial: which rows it must have only its predicate tells; its structure, its order and where its "
            + "entries lead are examined with its table, the rest by bt_index_check with heapallindexed on a running server")
        : shape.HasExpressions ? new Verdict.Unchecked("it has expressions, whose values are not in the table's rows; places, order and the other columns "
            + "are examined with its table, the rest by bt_index_check with heapallindexed on a running server")
        : null;

    /// <summary>
    /// Files are of one moment only after a clean stop of a primary. A standby stops without writing all that it has replayed when it had no new
    /// checkpoint to keep (CreateRestartPoint in xlog.c), and a backup is made whole by its WAL.
    /// </summary>
    private static string? WhyMoving(DataDirectory directory) =>
        directory is { IsControlTrusted: true, Control.State: ClusterState.ShutDown } && !directory.Files.Exists("backup_label")
            ? null
            : "its files are not of one moment: it was not shut down cleanly, was a standby, or is a backup whose WAL is still to be replayed; start it, or a copy of it, "
                + "let it recover, and stop it";

    private static Portion Whole(Patient patient, Verdict verdict) => new(new Target
    {
        Server = patient.Can.SystemIdentifier,
        Database = patient.Inventory?.Database,
        Kind = TargetKind.Database,
    }) { Settled = verdict };
}

/// <summary>A table with all that its examination needs of the catalogs.</summary>
internal sealed record CrossPortion : Portion
{
    public CrossPortion(Portion portion)
        : base(portion)
    {
    }

    public required IReadOnlyList<IndexShape> Shapes { get; init; }

    /// <summary>Null where the catalogs do not have all of them; such a piece is settled.</summary>
    public required HeapColumn[]? Columns { get; init; }
}
