using Kintsugi.Pages;
using Kintsugi.Postgres.Checks.Indexes;

namespace Kintsugi.Postgres.Checks.Crossing;

/// <summary>Puts what was seen of a table and its indexes into findings: who is guilty, and what was left undecided.</summary>
internal sealed class CrossVerdict(
    CrossPortion portion, Located heap, IReadOnlyList<IndexSide> indexes, Patient patient, Suspicions suspicions,
    IReadOnlyList<Disagreements> disagreements, HeapSide rows, List<string> doubts, long end)
{
    private readonly List<Finding> findings = [];

    public async ValueTask<Verdict> Reach(Func<long, CancellationToken, ValueTask<byte[]?>> pageOf, CancellationToken cancellationToken)
    {
        var accusation = new Accusation(heap, portion.Target, TargetOf, [.. indexes.Where(index => !index.IsPartial).Select(index => index.Index)]);
        accusation.OfStructure(suspicions.Structure);
        await accusation.OfLostRows(await Named(pageOf, cancellationToken), block => pageOf(block, cancellationToken), end);
        foreach (var found in disagreements)
        {
            var missing = found.Missing.Take(Suspicions.Most).Select(root => new MissingEntry(found.Index.Index, root)).ToList();
            if (missing.Count > 0)
                accusation.OfMissing(found.Index.Index, missing);
            accusation.OfDoubles([.. found.Doubled.Select(root => new EntrySuspicion(found.Index.Index, -1, root, SlotFault.None))]);
        }
        findings.AddRange(accusation.Findings);
        OfAltered();
        foreach (var (tid, why) in rows.Impossible.Distinct())
            findings.Add(new Finding(Kind, portion.Target with { Fork = "main", Block = tid.Block, Offset = tid.Item }, $"row version {tid}: {why}"));
        if (findings.Count > 0)
            return new Verdict.Damaged(findings);
        Undecided();
        return doubts.Count > 0 ? new Verdict.Unchecked(string.Join("; ", doubts.Distinct())) : Verdict.Sound.Instance;
    }

    private FaultClass Kind => heap.Relation.IsToast ? Faults.ToastCorrupt : Faults.HeapCorrupt;

    private void Undecided()
    {
        if (rows.Unknown > 0)
            doubts.Add($"{rows.Unknown} row versions are of transactions that pg_xact or pg_multixact does not know (see the check cluster-files)");
        foreach (var index in indexes)
        {
            if (index.Doubt is { } doubt)
                doubts.Add(doubt);
            else if (index.Undecided > 0)
                doubts.Add($"{index.Index.Relation.Name}: {index.Undecided} rows have keys out of line, of which only the place was compared; "
                    + "bt_index_check with heapallindexed on a running server decides them");
        }
    }

    /// <summary>The sort of place that an entry leads to, from the heap page itself.</summary>
    private async ValueTask<IReadOnlyList<EntrySuspicion>> Named(
        Func<long, CancellationToken, ValueTask<byte[]?>> pageOf, CancellationToken cancellationToken)
    {
        var named = new List<EntrySuspicion>();
        foreach (var page in suspicions.Entries.GroupBy(entry => entry.Tid.Block).OrderBy(page => page.Key))
        {
            var bytes = await pageOf(page.Key, cancellationToken);
            named.AddRange(page.Select(entry => entry with
            {
                Fault = bytes is null ? SlotFault.BeyondEnd : HeapSlots.Judge(bytes, entry.Tid.Item) is var fault and not SlotFault.None ? fault : SlotFault.Unused,
            }));
        }
        return named;
    }

    /// <summary>Row and entry have different keys. Where several indexes that keep the column disagree with the same row, the row has changed.</summary>
    private void OfAltered()
    {
        var altered = disagreements.Where(found => found.Altered.Count > 0).ToList();
        foreach (var found in altered)
        {
            var others = indexes.Where(index => index != found.Index && Shares(index, found.Index)).ToList();
            var agree = others.Where(index => altered.Exists(it => it.Index == index && it.Altered.Intersect(found.Altered).Any())).ToList();
            var isTable = agree.Count > 0;
            var places = string.Join(", ", found.Altered.Take(5));
            var evidence = $"{found.Altered.Count} rows have another key in the table than in the index: {places}"
                + (isTable ? $"; {string.Join(", ", agree.Select(index => index.Index.Relation.Name))} too" : "");
            findings.Add(new Finding(Faults.IndexCorrupt, TargetOf(found.Index.Index), evidence)
            {
                Rows = found.Altered.Count,
                Hint = isTable || others.Count == 0
                    ? "either side may be wrong: keep both files (kintsugi snapshots create) and compare the values before the index is rebuilt"
                    : "the other indexes agree with the table: kintsugi heal rebuilds this one, after the table itself has been proven",
                Facts = new Dictionary<string, string>
                {
                    ["access_method"] = "btree",
                    ["unique"] = found.Index.Index.Relation.Index!.Unique ? "true" : "false",
                },
            });
            if (isTable)
                findings.Add(new Finding(Kind, portion.Target with { Fork = "main", Block = found.Altered[0].Block, Offset = found.Altered[0].Item },
                    $"{agree.Count + 1} indexes have another key than the table: rows {places}"));
        }
    }

    private static bool Shares(IndexSide one, IndexSide other) =>
        !one.IsPartial && one.Shape.Parts.Any(part => part.Column >= 0 && other.Shape.Parts.Any(it => it.Column == part.Column));

    private Target TargetOf(Located index) => patient.Relations.TargetOf(index.Relation, patient.Can.SystemIdentifier);
}
