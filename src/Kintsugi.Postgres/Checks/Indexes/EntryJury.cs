using Kintsugi.Pages;
using Kintsugi.Pages.Indexes;

namespace Kintsugi.Postgres.Checks.Indexes;

/// <summary>
/// The second look. An entry is guilty when its index page and the heap page are both exactly as they were at one moment, and contradict each
/// other there. What has changed since is looked at in the next view; what no view can show is left open, never accused.
/// </summary>
internal sealed class EntryJury(IReadOnlyList<IPageView> views, Located heap, bool checksums)
{
    private readonly IReadOnlyList<IPageView> views = [.. views.Select(view => view.IsLocked ? new ReadAheadView(view) : view)];
    private readonly IndexPageContent content = new();

    public async ValueTask<(IReadOnlyList<EntrySuspicion> Guilty, IReadOnlyList<EntrySuspicion> Open)> Entries(
        IReadOnlyList<EntrySuspicion> suspicions, CancellationToken cancellationToken)
    {
        var guilty = new List<EntrySuspicion>();
        var open = suspicions.Where(suspicion => suspicion.Fault != SlotFault.None).ToList();
        var doubled = suspicions.Where(suspicion => suspicion.Fault == SlotFault.None).ToList();
        foreach (var view in views)
        {
            if (open.Count == 0 && doubled.Count == 0)
                break;
            var end = await view.Blocks(heap, cancellationToken);
            if (await view.Now(cancellationToken) is not { } moment)
                continue;
            var desk = new PageDesk(view, moment, checksums);
            var stands = new Lazy<Task<bool>>(() => view.EndStands(heap, cancellationToken).AsTask());
            open = await Round(open, suspicion => Lead(suspicion, desk, end, stands, cancellationToken), guilty);
            doubled = await Round(doubled, suspicion => Second(suspicion, suspicions, desk, cancellationToken), guilty);
        }
        return (guilty, [.. open, .. doubled]);
    }

    public async ValueTask<(IReadOnlyList<StructureSuspicion> Guilty, IReadOnlyList<StructureSuspicion> Open)> Structure(
        IReadOnlyList<StructureSuspicion> suspicions, CancellationToken cancellationToken)
    {
        var guilty = new List<StructureSuspicion>();
        var open = suspicions.ToList();
        foreach (var view in views)
        {
            if (open.Count == 0)
                break;
            if (await view.Now(cancellationToken) is { } moment)
                open = await Round(open, suspicion => Page(suspicion, view, new PageDesk(view, moment, checksums), cancellationToken), guilty);
        }
        return (guilty, open);
    }

    private enum Answer
    {
        Innocent,
        Guilty,
        Open,
    }

    private static async ValueTask<List<T>> Round<T>(List<T> suspicions, Func<T, ValueTask<(Answer Answer, T Seen)>> ask, List<T> guilty)
    {
        var open = new List<T>();
        foreach (var suspicion in suspicions)
        {
            var (answer, seen) = await ask(suspicion);
            if (answer == Answer.Guilty)
                guilty.Add(seen);
            else if (answer == Answer.Open)
                open.Add(suspicion);
        }
        return open;
    }

    private async ValueTask<(Answer, EntrySuspicion)> Lead(
        EntrySuspicion suspicion, PageDesk desk, long end, Lazy<Task<bool>> stands, CancellationToken cancellationToken)
    {
        var index = await desk.Page(suspicion.Index, suspicion.Page, cancellationToken);
        if (Count(suspicion, suspicion.Page, index, desk) is not { } count)
            return (Answer.Open, suspicion);
        if (count == 0)
            return (Answer.Innocent, suspicion);
        if (suspicion.Tid.Block >= end)
            return (desk.IsExact(index!, suspicion.Index) && await stands.Value ? Answer.Guilty : Answer.Open, suspicion with { Fault = SlotFault.BeyondEnd });
        if (await desk.Page(heap, suspicion.Tid.Block, cancellationToken) is not { } page)
            return (Answer.Open, suspicion);
        var fault = HeapSlots.Judge(page, suspicion.Tid.Item);
        return fault == SlotFault.None ? (Answer.Innocent, suspicion)
            : (desk.IsExact(index!, suspicion.Index) && desk.IsExact(page) ? Answer.Guilty : Answer.Open, suspicion with { Fault = fault });
    }

    /// <summary>One row, two entries: on one page, or on two that are both exact.</summary>
    private async ValueTask<(Answer, EntrySuspicion)> Second(
        EntrySuspicion suspicion, IReadOnlyList<EntrySuspicion> all, PageDesk desk, CancellationToken cancellationToken)
    {
        var total = 0;
        var exact = true;
        var pages = all.Where(other => other.Fault == SlotFault.None && other.Index == suspicion.Index && other.Tid == suspicion.Tid)
            .Select(other => other.Page).Distinct();
        foreach (var page in pages)
        {
            var bytes = await desk.Page(suspicion.Index, page, cancellationToken);
            if (Count(suspicion, page, bytes, desk) is not { } count)
                return (Answer.Open, suspicion);
            total += count;
            exact &= count == 0 || desk.IsExact(bytes!, suspicion.Index);
        }
        return (total < 2 ? Answer.Innocent : exact ? Answer.Guilty : Answer.Open, suspicion);
    }

    private async ValueTask<(Answer, StructureSuspicion)> Page(
        StructureSuspicion suspicion, IPageView view, PageDesk desk, CancellationToken cancellationToken)
    {
        var kind = IndexKinds.Of(suspicion.Index.Relation.AccessMethod);
        if (suspicion.Parent < 0)
        {
            // Read twice with the same bytes, and still no page of this index: it needs no other page to be wrong.
            var bytes = await new PageDesk(view, desk.Moment, checksums: false).Page(suspicion.Index, suspicion.Page, cancellationToken);
            // A file grows with zeros; what GIN, GiST and SP-GiST builds fill them with stays in the buffers until the next checkpoint.
            if (bytes is null || (PageHeader.IsAllZero(bytes) && !view.IsLocked))
                return (Answer.Open, suspicion);
            return IndexPages.Read(kind, bytes, suspicion.Page, desk.Checksums, content) is { } why
                ? (Answer.Guilty, suspicion with { Evidence = why })
                : (Answer.Innocent, suspicion);
        }
        var parent = await desk.Page(suspicion.Index, suspicion.Parent, cancellationToken);
        if (parent is null || IndexPages.Read(kind, parent, suspicion.Parent, desk.Checksums, content) is not null)
            return (Answer.Open, suspicion);
        var leads = content.Children.Exists(child => child.Tid.Block == suspicion.Page)
            || IndexPages.Siblings(kind, parent, content.Role).Contains((uint)suspicion.Page);
        var missing = suspicion.Page >= await view.Blocks(suspicion.Index, cancellationToken)
            || await desk.Page(suspicion.Index, suspicion.Page, cancellationToken) is { } child && PageHeader.IsAllZero(child);
        return (!leads || !missing ? Answer.Innocent : desk.IsExact(parent, suspicion.Index) ? Answer.Guilty : Answer.Open, suspicion);
    }

    /// <returns>How many entries of that page lead there; null when the page cannot be believed.</returns>
    private int? Count(EntrySuspicion suspicion, long block, byte[]? page, PageDesk desk)
    {
        var kind = IndexKinds.Of(suspicion.Index.Relation.AccessMethod);
        return page is null || IndexPages.Read(kind, page, block, desk.Checksums, content) is not null
            ? null
            : content.Rows.Count(row => row.Tid == suspicion.Tid);
    }
}
