using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// Every index of every table against the table, page by page from the files, in both directions and for all access methods: each entry leads to
/// a place that can hold its row, no row has two entries, and every row that had one at the last checkpoint still has it. The direction from
/// index to table is asked by no tool of the server; it alone sees a table cut short, a zeroed page, a lost line pointer.
/// </summary>
public sealed class IndexEntriesCheck(TimeProvider clock) : IBatchCheck
{
    public string Id => "index-entries";
    public string Proves => "every index entry leads to a row that is there, and every row has its entry";
    public Layer Layer => Layer.Index;
    public Depth Depth => Depth.Standard;
    public bool RestsOnPages => true;
    public IReadOnlyList<FaultClass> Finds { get; } = [Faults.IndexCorrupt, Faults.HeapCorrupt, Faults.ToastCorrupt, Faults.FileTruncated];
    public Needs Needs { get; } = new();

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var portions = new List<Portion>();
        foreach (var heap in patient.Relations.Relations.Where(relation => relation.HasHeap))
        {
            var indexes = patient.Relations.IndexesOf(heap.Oid).Where(index => index.Kind == 'i').ToList();
            if (indexes.Count == 0)
                continue;
            portions.AddRange(indexes.Where(index => WhyNot(index) is not null)
                .Select(index => Eligible.Portion(index, patient) with { Settled = new Verdict.NotApplicable(WhyNot(index)!) }));
            portions.Add(Eligible.Portion(heap, patient) with
            {
                Weight = heap.Pages + indexes.Sum(index => index.Pages),
                Settled = Eligible.Settle(heap, patient) ?? Settle(heap, indexes),
            });
        }
        return ValueTask.FromResult<IReadOnlyList<Portion>>(portions);
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        var buffers = BufferView.Of(patient);
        if (bytes is null && buffers is null)
            return new Verdict.Unchecked("its pages cannot be read: run on the server's machine as the owner of the data directory, or GRANT EXECUTE "
                + "ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean), pg_catalog.pg_stat_file(text, boolean) "
                + $"TO {patient.Can.User}; or CREATE EXTENSION pageinspect and connect as a superuser");
        IReadOnlyList<IPageView> views = [.. bytes is null ? [] : new IPageView[] { new FileView(bytes, patient, clock) },
            .. buffers is null ? [] : new IPageView[] { buffers }];
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var before = (await Locate([portion], patient, cancellationToken))[0];
            if (before.Count == 0)
                return new Verdict.NotApplicable("dropped meanwhile");
            var table = new TableEntries(before[0], [.. before.Skip(1)], views, patient, portion);
            IReadOnlyList<Finding> findings;
            try
            {
                findings = await table.Run(cancellationToken);
            }
            catch (IOException failed)
            {
                return new Verdict.Unchecked($"its files could not be read: {failed.Message}");
            }
            catch (PatientException problem) when (SqlStates.IsGone(problem.SqlState))
            {
                return new Verdict.NotApplicable("dropped meanwhile");
            }
            if (findings.Count == 0 && table.Doubts.Count == 0)
                return Verdict.Sound.Instance;
            // TRUNCATE, CLUSTER, REINDEX give a new file: what was read is no longer the relation.
            var after = (await Locate([portion], patient, cancellationToken))[0];
            if (before.SequenceEqual(after))
                return findings.Count > 0 ? new Verdict.Damaged(findings) : new Verdict.Unchecked(string.Join("; ", table.Doubts));
            bytes?.Reopen();
        }
        return new Verdict.Unchecked("it got a new file each time while it was read; run it again when nothing rewrites it");
    }

    public async ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken)
    {
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        if (bytes is not LocalBytes)
            return [];
        var view = new FileView(bytes, patient, clock);
        var before = await Locate(portions, patient, cancellationToken);
        var clean = new bool[portions.Count];
        try
        {
            if (await view.Now(cancellationToken) is { } moment)
                for (var i = 0; i < portions.Count; i++)
                    clean[i] = before[i].Count > 0 && await new TableEntries(before[i][0], [.. before[i].Skip(1)], [view], patient, portions[i])
                        .IsClean(moment, cancellationToken);
        }
        catch (IOException)
        {
            // The one that fails says so when it is examined alone, and so are those behind it.
        }
        var after = await Locate(portions, patient, cancellationToken);
        return [.. portions.Where((_, i) => clean[i] && before[i].SequenceEqual(after[i]))];
    }

    private static string? WhyNot(Relation index) =>
        index.Index is not { Valid: true, Ready: true, Live: true } ? "not valid or not ready: see index-state"
        : IndexKinds.Of(index.AccessMethod) == IndexKind.None ? $"access method {index.AccessMethod} is not PostgreSQL's own: its pages cannot be read"
        : null;

    private static Verdict.NotApplicable? Settle(Relation heap, List<Relation> indexes) =>
        heap.AccessMethod is not ("heap" or "") ? new Verdict.NotApplicable($"table access method {heap.AccessMethod} has pages of its own")
        : heap.Persistence == 'u' ? new Verdict.NotApplicable("unlogged: its pages carry no LSN, so that two of them cannot be held against each other")
        : indexes.TrueForAll(index => WhyNot(index) is not null) ? new Verdict.NotApplicable("none of its indexes can be read")
        : null;

    /// <summary>For each piece the table and those of its indexes that can be read, with the files that they have now; empty where it is gone.</summary>
    private static async ValueTask<IReadOnlyList<IReadOnlyList<Located>>> Locate(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken)
    {
        var wanted = portions.Select(portion => portion.Relation!).Select(heap => (Relation[])
            [heap, .. patient.Relations.IndexesOf(heap.Oid).Where(index => index.Kind == 'i' && WhyNot(index) is null)]).ToList();
        var paths = (await patient.Session.Rows(
            "SELECT o, pg_catalog.pg_relation_filepath(o) FROM pg_catalog.unnest($1) o",
            row => (row.GetFieldValue<uint>(0), Path: row.IsDBNull(1) ? null : row.GetString(1)),
            cancellationToken, [wanted.SelectMany(relations => relations).Select(relation => relation.Oid).ToArray()])).ToDictionary();
        return [.. wanted.Select(relations => (IReadOnlyList<Located>)(paths.GetValueOrDefault(relations[0].Oid) is null
            ? []
            : [.. relations.Where(relation => paths.GetValueOrDefault(relation.Oid) is not null).Select(r => new Located(r, paths[r.Oid]!))]))];
    }
}
