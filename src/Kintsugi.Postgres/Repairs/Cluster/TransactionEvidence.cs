using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Wal;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>A transaction that rows depend on, with what they would be without it.</summary>
internal sealed record Dependent(string FirstFile, long FirstBlock)
{
    public long Written { get; set; }
    public long Deleted { get; set; }
}

/// <summary>
/// How the transactions of one segment of pg_xact ended, by everything that still tells: hint bits of row versions in all heap files, and the WAL.
/// And which of them rows depend on. Contradictions are kept, not settled.
/// </summary>
internal sealed class TransactionEvidence(DataDirectory directory, uint segment)
{
    private readonly TransactionLog log = new(directory.Path, directory.Control);
    private readonly HashSet<uint> prepared = [];

    public Dictionary<uint, XidOutcome> Proven { get; } = [];
    public SortedDictionary<uint, Dependent> Dependents { get; } = [];
    public List<string> Contradictions { get; } = [];

    /// <summary>Transactions that rows of derived tables depend on.</summary>
    public HashSet<uint> Derived { get; } = [];

    /// <summary>Pages that could not be believed: they may name more transactions.</summary>
    public List<string> Unread { get; } = [];

    /// <summary>Prepared, and not ended by the WAL that is left: their state is in pg_twophase.</summary>
    public IReadOnlyCollection<uint> Prepared => prepared;

    /// <summary>They ran at some moment of the WAL that is here: one of them without a commit behind it never committed.</summary>
    private readonly HashSet<uint> ran = [];

    /// <summary>
    /// Transactions from here on began after WAL that is here to its end: one of them without a commit there never committed. Null where that is not known.
    /// </summary>
    private uint? wholeLivesFrom;

    /// <summary>Whether pg_xact has to know how it ended: the oldest that any table may still hold, or newer, and of this segment.</summary>
    private bool Wanted(uint xid) => TransactionIds.IsNormal(xid) && CommitLog.PlaceOf(xid).Segment == segment
        && !TransactionIds.Precedes(xid, directory.Control!.OldestXid);

    public void HearWal(CancellationToken cancellationToken)
    {
        var wal = WalRemains.Read(directory.Path, (record, major) =>
        {
            ran.UnionWith(TransactionEnd.Running(record));
            if (TransactionEnd.Of(record, major) is not { } end)
                return;
            if (end.Outcome == XidOutcome.InProgress)
                prepared.Add(end.Xid);
            else
                foreach (var xid in end.Subtransactions.Prepend(end.Xid))
                    Prove(xid, end.Outcome, "the WAL");
        }, cancellationToken);
        prepared.ExceptWith(Proven.Keys);
        if (wal is not { GoesOnBehindAGap: false } || wal.End <= directory.Control!.Checkpoint)
            ran.Clear();
        else
            wholeLivesFrom = wal.Earliest?.NextXid;
    }

    /// <summary>The WAL, which is here to its end, would hold its commit, and does not. The server leaves such ones without an end as well.</summary>
    public bool NeverCommitted(uint xid) =>
        !Proven.ContainsKey(xid) && (ran.Contains(xid) || (wholeLivesFrom is { } from && !TransactionIds.Precedes(xid, from)));

    /// <summary>Every heap page of the cluster, by what the pages say: the catalogs may be what is damaged.</summary>
    /// <param name="known">Files that the catalogs know: a file without an owner may be of an earlier life of the same numbers, and proves nothing.</param>
    /// <param name="derived">Those of them whose rows can be made anew, and bind nobody to an answer.</param>
    /// <param name="cancellationToken">Between files.</param>
    public async ValueTask HearRows(IReadOnlySet<string> known, IReadOnlySet<string> derived, CancellationToken cancellationToken)
    {
        var walk = new HeapWalk(directory);
        await walk.Run((trace, file, block) => Take(trace, file, block, known.Contains(HeapWalk.First(file)), derived.Contains(HeapWalk.First(file))), cancellationToken);
        Unread.AddRange(walk.Unread);
    }

    private void Take(TransactionTrace trace, string file, long block, bool owned, bool isDerived)
    {
        if (trace.IsMulti)
        {
            if (log.UpdaterOf(trace.Xid) is not { } updater)
                Unread.Add($"multixact {trace.Xid.ToString(CultureInfo.InvariantCulture)} in block {block} of {file}");
            else
                Depend(updater, trace, file, block);
            return;
        }
        if (trace.Proven != XidOutcome.Unknown && owned)
            Prove(trace.Xid, trace.Proven, $"a row version in block {block} of {file}");
        else if (isDerived && Wanted(trace.Xid))
            Derived.Add(trace.Xid);
        else if (trace.Proven == XidOutcome.Unknown)
            Depend(trace.Xid, trace, file, block);
    }

    private void Depend(uint xid, TransactionTrace trace, string file, long block)
    {
        if (!Wanted(xid))
            return;
        if (!Dependents.TryGetValue(xid, out var dependent))
            Dependents[xid] = dependent = new Dependent(file, block);
        if (trace.Deletes)
            dependent.Deleted++;
        else
            dependent.Written++;
    }

    private void Prove(uint xid, XidOutcome outcome, string by)
    {
        if (!Wanted(xid))
            return;
        if (Proven.TryGetValue(xid, out var known) && known != outcome)
            Contradictions.Add($"transaction {xid.ToString(CultureInfo.InvariantCulture)}: {outcome.ToString().ToLowerInvariant()} by {by}, {known.ToString().ToLowerInvariant()} by others");
        else
            Proven[xid] = outcome;
    }
}
