using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// The second look at rows without an entry: the server must see the row (and the index must be meant to have it), and the whole index,
/// read again at a moment when none of its pages had changed since, must not.
/// </summary>
internal sealed class MissingJury(IReadOnlyList<IPageView> views, Located heap, Patient patient, bool checksums)
{
    private const int PagesPerRead = 64;

    public async ValueTask<(IReadOnlyList<MissingEntry> Guilty, string? Doubt)> Judge(
        Located index, IReadOnlyList<MissingEntry> missing, uint endedBefore, CancellationToken cancellationToken)
    {
        var alive = await Alive(index, missing, endedBefore, cancellationToken);
        foreach (var view in views)
        {
            if (alive.Count == 0)
                return ([], null);
            if (await view.Now(cancellationToken) is not { } moment)
                continue;
            var open = alive.Select(entry => entry.Root).ToHashSet();
            var exact = await Find(view, moment, index, open, cancellationToken);
            alive.RemoveAll(entry => !open.Contains(entry.Root));
            if (exact)
                return (alive, null);
        }
        return ([], alive.Count == 0 ? null
            : $"{alive.Count} rows have no entry on disk, but parts of the index were changed since the last checkpoint: look again after the next one");
    }

    /// <summary>Takes away what the index has after all.</summary>
    /// <returns>Whether every page was as it was at the moment.</returns>
    private async ValueTask<bool> Find(IPageView view, Moment moment, Located index, HashSet<Tid> open, CancellationToken cancellationToken)
    {
        var kind = IndexKinds.Of(index.Relation.AccessMethod);
        var content = new IndexPageContent();
        using var buffer = ReadBuffer.Rent(PagesPerRead * PageFormat.Size);
        var exact = true;
        var blocks = await view.Blocks(index, cancellationToken);
        for (var block = 0L; block < blocks && open.Count > 0;)
        {
            var read = await view.Read(index, block, buffer.Bytes, cancellationToken);
            if (read == 0)
                return false;
            for (var i = 0; i < read && block < blocks; i++, block++)
            {
                var page = buffer.Bytes.Span.Slice(i * PageFormat.Size, PageFormat.Size);
                exact &= PageHeader.Read(page).Lsn <= moment.Lsn;
                if (IndexPages.Read(kind, page, block, checksums && !view.IsLocked, content) is not null)
                    return false;
                // No scan follows a killed entry: a row that is alive has none by it.
                foreach (var row in content.Rows.Where(row => !row.IsKilled || patient.Can.InRecovery))
                    open.Remove(row.Tid);
            }
        }
        return exact;
    }

    /// <summary>Those whose row the server shows now, by place and transaction.</summary>
    public async ValueTask<List<MissingEntry>> Alive(
        Located index, IReadOnlyList<MissingEntry> missing, uint endedBefore, CancellationToken cancellationToken)
    {
        var members = await Members(missing, endedBefore, cancellationToken);
        if (members.Count == 0)
            return [];
        var condition = await Condition(index, cancellationToken);
        var seen = new HashSet<(string, string)>();
        foreach (var batch in members.Values.Chunk(1000))
            seen.UnionWith(await patient.Session.Rows(
                $"SELECT t.ctid::pg_catalog.text, t.xmin::pg_catalog.text FROM ONLY {Quote.Name(heap.Relation)} t "
                + $"WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.tid[]){condition}",
                row => (row.GetString(0), row.GetString(1)), cancellationToken, [batch.Select(member => member.Ctid).ToArray()]));
        return [.. missing.Where(entry => members.TryGetValue(entry.Root, out var member) && seen.Contains(member))];
    }

    private async ValueTask<Dictionary<Tid, (string Ctid, string Xmin)>> Members(
        IReadOnlyList<MissingEntry> missing, uint endedBefore, CancellationToken cancellationToken)
    {
        var members = new Dictionary<Tid, (string, string)>();
        var desk = new PageDesk(views[0], new Moment(0, endedBefore), checksums);
        foreach (var entry in missing)
        {
            if (await desk.Page(heap, entry.Root.Block, cancellationToken) is not { } page || !PageHeader.Read(page).IsPossible
                || entry.Root.Item > PageHeader.Read(page).ItemCount || HeapSlots.LiveMember(page, entry.Root.Item, endedBefore) is not (> 0 and var item))
                continue;
            var line = LinePointer.Read(page, item);
            var xmin = HeapTupleHeader.Read(page.AsSpan(line.Offset, line.Length)).Xmin;
            members[entry.Root] = ($"({entry.Root.Block},{item})", xmin.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        return members;
    }

    /// <summary>Which rows the index is meant to have: its predicate; and hash holds no nulls.</summary>
    private async ValueTask<string> Condition(Located index, CancellationToken cancellationToken)
    {
        if (!index.Relation.Index!.HasPredicate && index.Relation.AccessMethod != "hash")
            return "";
        var (predicate, key) = (await patient.Session.Rows(
            "SELECT pg_catalog.pg_get_expr(i.indpred, i.indrelid), pg_catalog.pg_get_indexdef(i.indexrelid, 1, false) "
            + "FROM pg_catalog.pg_index i WHERE i.indexrelid = $1",
            row => (row.IsDBNull(0) ? null : row.GetString(0), row.GetString(1)), cancellationToken, index.Relation.Oid))[0];
        return (predicate is null ? "" : $" AND ({predicate})")
            + (index.Relation.AccessMethod == "hash" ? $" AND ({key}) IS NOT NULL" : "");
    }
}
