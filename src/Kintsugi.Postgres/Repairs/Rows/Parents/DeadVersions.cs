using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.References;

namespace Kintsugi.Postgres.Repairs.Rows.Parents;

/// <summary>
/// Row versions that no query sees and that still lie on their page: deleted and not yet vacuumed, or hidden by a damaged header. One whose writer
/// did not commit never was a row.
/// </summary>
internal sealed class DeadVersions(Patient patient, PageSearch pages)
{
    /// <summary>Without keys to look for every dead version of the table is read.</summary>
    private const int Most = 5_000;

    private readonly Endings endings = new(patient.Session);

    /// <summary>Why versions that were seen are not offered.</summary>
    public HashSet<string> Notes { get; } = [];

    /// <param name="keys">Gives the keys to look for as they lie on pages, or null for all: a read of every page that has an orphan.</param>
    public async ValueTask<IReadOnlyList<ParentRow>> Of(
        ForeignKey key, Func<CancellationToken, ValueTask<IReadOnlySet<string>?>> keys, CancellationToken cancellationToken)
    {
        var heaps = new List<Relation>();
        foreach (var heap in key.ParentHeaps.Where(heap => heap.Pages <= PageSearch.MostBlocks))
            if (await HoldsUnseen(heap, cancellationToken))
                heaps.Add(heap);
        if (heaps.Count == 0)
            return [];
        var wanted = await keys(cancellationToken);
        var rows = new List<ParentRow>();
        foreach (var heap in heaps)
        {
            var versions = wanted is not null ? await new DeadParents(key, pages, patient.Session).Versions(heap, wanted, cancellationToken)
                : await Deleted(heap, cancellationToken);
            var stored = await StoredRow.Of(heap, patient.Session, cancellationToken);
            var toast = new ToastedValues(patient.Relations.Find(heap.ToastOid), pages);
            foreach (var (tid, tuple) in versions)
                if (await Refusal(tid, tuple, versions, cancellationToken) is { } why)
                    Note(heap, tid, why);
                else if (await stored.Read(tuple, patient.Can.Major, toast, cancellationToken) is var (columns, values, obstacle) && obstacle is not null)
                    Note(heap, tid, obstacle);
                else
                    rows.Add(new ParentRow(heap, columns, values, $"the row version at {tid}") { Tuple = tuple, Writer = HeapTupleHeader.Read(tuple).Xmin });
        }
        return rows;
    }

    /// <summary>Whether some row version's header does not by itself say that every query sees it (heapam_visibility.c, HeapTupleSatisfiesMVCC).</summary>
    private async ValueTask<bool> HoldsUnseen(Relation heap, CancellationToken cancellationToken)
    {
        var oldest = unchecked((uint)ulong.Parse((await patient.Session.Rows(
            "SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::pg_catalog.text", row => row.GetString(0), cancellationToken))[0], CultureInfo.InvariantCulture));
        var unseen = false;
        await pages.Tuples(heap, (tuple, _) =>
        {
            var head = HeapTupleHeader.Read(tuple);
            unseen |= head.IsMoved || !(head.IsFrozen || (head.XminCommitted && TransactionIds.Precedes(head.Xmin, oldest))) || !(head.XmaxInvalid || head.IsLockedOnly);
        }, cancellationToken);
        return unseen;
    }

    private void Note(Relation heap, Tid tid, string why)
    {
        if (why.Length > 0)
            Notes.Add($"{heap.Schema}.{heap.Name} {tid}: {why}");
    }

    private async ValueTask<List<(Tid Tid, byte[] Tuple)>> Deleted(Relation heap, CancellationToken cancellationToken)
    {
        var found = new List<(Tid, byte[])>();
        await pages.Tuples(heap, (tuple, tid) =>
        {
            if (HeapTupleHeader.Read(tuple) is not { XmaxInvalid: false, IsLockedOnly: false })
                return;
            if (found.Count < Most)
                found.Add((tid, tuple.ToArray()));
            else
                Notes.Add($"{heap.Schema}.{heap.Name} has more than {Most} dead versions: not all were looked at");
        }, cancellationToken);
        return found;
    }

    /// <returns>Null for a version that was the row until it was deleted or hidden; empty for one that a later one replaced.</returns>
    private async ValueTask<string?> Refusal(
        Tid tid, byte[] tuple, List<(Tid Tid, byte[] Tuple)> all, CancellationToken cancellationToken)
    {
        var head = HeapTupleHeader.Read(tuple);
        if (head.IsMoved || head.IsSpeculative)
            return "its header is in a state that no deleted row has";
        if (!head.IsFrozen && !head.XminCommitted && (head.XminInvalid || await endings.Of(head.Xmin, cancellationToken) != "committed"))
            return "the transaction that wrote it did not commit, or not yet, or it cannot be told";
        if (head.IsMovedToOtherPartition)
            return "it was moved to another partition";
        if (head.XmaxInvalid || head.IsLockedOnly)
            return "nothing in its header says that it is dead, and yet no query sees it: look at the page (kintsugi page)";
        if (head.XmaxIsMulti)
            return "several transactions held it when it ended, which is not followed here";
        if (!head.XmaxCommitted && await endings.Of(head.Xmax, cancellationToken) is "in progress" or "aborted")
            return "it is being deleted at this moment, or its deletion was taken back";
        if (head.Ctid == tid)
            return null;
        return all.Exists(other => HeapTupleHeader.Read(other.Tuple).Xmin == head.Xmax) ? "" : "it was replaced by a version with another key, or that is gone";
    }
}
