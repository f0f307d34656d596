using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// Who is guilty of an entry that leads nowhere. Where several indexes know the row, or its bytes still lie on the page, the table has lost it;
/// where one index alone names a place that its sisters do not, that index is wrong.
/// </summary>
internal sealed class Accusation(Located heap, Target table, Func<Located, Target> targetOf, IReadOnlyList<Located> whole)
{
    private const int MostPages = 50;

    private readonly List<Finding> findings = [];

    public IReadOnlyList<Finding> Findings => findings;

    /// <param name="entries">Entries that are proven to lead nowhere.</param>
    /// <param name="pageOf">The heap page as it was judged; null behind the end.</param>
    /// <param name="heapEnd">Blocks of the heap.</param>
    public async ValueTask OfLostRows(IReadOnlyList<EntrySuspicion> entries, Func<long, ValueTask<byte[]?>> pageOf, long heapEnd)
    {
        var lost = new List<(Tid Tid, SlotFault Fault, List<Located> Owners, bool Lies)>();
        var perBlock = entries.GroupBy(entry => entry.Tid.Block).ToDictionary(group => group.Key, group => group.Select(e => e.Tid).Distinct().Count());
        var blamed = new List<EntrySuspicion>();
        foreach (var place in entries.GroupBy(entry => entry.Tid))
        {
            var owners = place.Select(entry => entry.Index).Distinct().ToList();
            var fault = place.First().Fault;
            var lies = fault is SlotFault.Unused or SlotFault.BeyondItems && await pageOf(place.Key.Block) is { } page
                && BytesLieThere(page, place.Key);
            if (TableIsGuilty(fault, owners, lies, perBlock[place.Key.Block]))
                lost.Add((place.Key, fault, owners, lies));
            else
                blamed.AddRange(place);
        }
        AccuseTable(lost, heapEnd);
        foreach (var index in blamed.GroupBy(entry => entry.Index))
            AccuseIndex(index.Key, $"{Entries(index.Count())} {Lead(index.Count())} where no row can be: "
                + string.Join(", ", index.Take(3).Select(entry => $"{entry.Tid} from index page {entry.Page} ({Why(entry.Fault)})"))
                + (whole.Count > 1 ? "; no other index of the table knows such a row" : ""), index.Count());
    }

    public void OfDoubles(IReadOnlyList<EntrySuspicion> entries)
    {
        foreach (var index in entries.GroupBy(entry => entry.Index))
            AccuseIndex(index.Key, "more than one entry leads to the same row: "
                + string.Join(", ", index.GroupBy(entry => entry.Tid).Take(3).Select(row =>
                    $"{row.Key} from index pages {string.Join(" and ", row.Select(entry => entry.Page).Distinct())}")),
                index.Select(entry => entry.Tid).Distinct().Count());
    }

    public void OfMissing(Located index, IReadOnlyList<MissingEntry> missing) =>
        AccuseIndex(index, $"{missing.Count}{(missing.Count >= Suspicions.Most ? " or more" : "")} live rows of the table have no entry: "
            + string.Join(", ", missing.Take(5).Select(entry => entry.Root)), missing.Count);

    public void OfStructure(IReadOnlyList<StructureSuspicion> structure)
    {
        foreach (var index in structure.GroupBy(suspicion => suspicion.Index))
            AccuseIndex(index.Key, string.Join("; ", index.Take(3)
                .Select(suspicion => suspicion.Parent < 0 ? $"page {suspicion.Page}: {suspicion.Evidence}" : suspicion.Evidence))
                + (index.Count() > 3 ? $"; and {index.Count() - 3} more pages" : ""), null);
    }

    private bool TableIsGuilty(SlotFault fault, List<Located> owners, bool lies, int rowsInBlock) =>
        lies || owners.Count > 1
        || (whole.All(owners.Contains) && fault is SlotFault.BeyondEnd or SlotFault.EmptyPage && rowsInBlock > 1);

    private static bool BytesLieThere(byte[] page, Tid tid)
    {
        var found = new List<LostTuple>();
        LostTuples.Find(page, new HeapExpectations { Block = tid.Block }, found);
        return found.Exists(tuple => tuple.Item == tid.Item || tuple.Item == 0);
    }

    private void AccuseTable(List<(Tid Tid, SlotFault Fault, List<Located> Owners, bool Lies)> lost, long heapEnd)
    {
        var behind = lost.Where(row => row.Fault == SlotFault.BeyondEnd).ToList();
        if (behind.Count > 0)
            findings.Add(OfTable(Faults.FileTruncated, table with { Fork = "main", Block = heapEnd }, behind,
                $"the file ends after {heapEnd} blocks, but index entries lead to {behind.Count} rows in blocks "
                + $"{behind.Min(row => row.Tid.Block)} to {behind.Max(row => row.Tid.Block)}"));
        foreach (var page in lost.Where(row => row.Fault != SlotFault.BeyondEnd).GroupBy(row => row.Tid.Block).OrderBy(page => page.Key).Take(MostPages))
        {
            var rows = page.ToList();
            var single = rows.Count == 1 ? rows[0].Tid.Item : (int?)null;
            findings.Add(OfTable(heap.Relation.IsToast ? Faults.ToastCorrupt : Faults.HeapCorrupt,
                table with { Fork = "main", Block = page.Key, Offset = single }, rows, rows[0].Fault == SlotFault.EmptyPage
                    ? $"block {page.Key} is all zero, but index entries lead to {rows.Count} rows of it"
                    : $"index entries lead to {rows.Count} rows of block {page.Key} that are gone: "
                        + string.Join(", ", rows.Take(5).Select(row => $"item {row.Tid.Item} ({Why(row.Fault)}"
                            + (row.Lies ? ", its bytes still lie on the page)" : ")")))));
        }
    }

    private static Finding OfTable(
        FaultClass fault, Target target, List<(Tid Tid, SlotFault Fault, List<Located> Owners, bool Lies)> rows, string evidence)
    {
        var indexes = rows.SelectMany(row => row.Owners).Select(index => index.Relation.Name).Distinct().Order(StringComparer.Ordinal).ToList();
        return new Finding(fault, target, $"{evidence} (seen by {string.Join(", ", indexes)})")
        {
            Rows = rows.Count,
            Hint = "do not rebuild its indexes: they hold the keys of the lost rows. Save the files first: kintsugi snapshots create",
            Facts = new Dictionary<string, string>
            {
                ["cause"] = $"{target.ObjectSchema}.{target.Object}",
                ["story"] = $"{target.Name}: rows that its indexes know are gone",
                ["indexes"] = string.Join('\n', indexes),
                ["tids"] = string.Join(' ', rows.Take(100).Select(row => row.Tid)),
            },
        };
    }

    private void AccuseIndex(Located index, string evidence, long? rows) =>
        findings.Add(new Finding(Faults.IndexCorrupt, targetOf(index), evidence)
        {
            Rows = rows,
            Hint = "kintsugi heal rebuilds it from its table, after the table itself has been proven",
            Facts = new Dictionary<string, string>
            {
                ["access_method"] = index.Relation.AccessMethod,
                ["unique"] = index.Relation.Index!.Unique ? "true" : "false",
            },
        });

    private static string Why(SlotFault fault) => fault switch
    {
        SlotFault.BeyondEnd => "behind the end of the file",
        SlotFault.EmptyPage => "an all-zero page",
        SlotFault.BeyondItems => "the page has no such line pointer",
        SlotFault.Unused => "an unused line pointer",
        SlotFault.HeapOnly => "the middle of a HOT chain",
        _ => "a redirect that leads nowhere",
    };

    private static string Entries(int count) => count == 1 ? "1 entry" : count.ToString(CultureInfo.InvariantCulture) + " entries";

    private static string Lead(int count) => count == 1 ? "leads" : "lead";
}
