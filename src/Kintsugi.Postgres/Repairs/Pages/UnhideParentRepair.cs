using Kintsugi.Pages;
using Kintsugi.Pages.Heap;
using Kintsugi.Pages.Mending;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Repairs.Rows.Parents;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>
/// Orphans whose parent lies on its page, marked as deleted in a way that no deletion marks a row: the children are witnesses, and so is the header.
/// Its xmax is cleared. A parent that somebody did delete (KEYS_UPDATED is set, or a newer version stands elsewhere) is not touched here.
/// </summary>
public sealed class UnhideParentRepair(ConsistencyRules rules, TimeProvider clock) : IRepair
{
    /// <summary>More at once are no accident of single fields.</summary>
    private const int MostRows = 100;

    public string Id => "unhide-parent";
    public string Does => "makes parents visible again that a damaged header hides, where their children and the header itself contradict a deletion";
    public IReadOnlyList<FaultClass> Mends => [Faults.RowOrphaned];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (healing.Findings is not [{ } finding] || RowGround.Unproven(healing) is not null || OrphanChoice.Of(finding, rules) == "report")
            return new Proposal.Refused("its ground is not proven, or the owner's rule says report");
        if (!finding.Facts.ContainsKey(FactNames.ParentSuspect))
            return new Proposal.Refused("nothing speaks for a hidden parent");
        if (OrphanKeys.Accused(finding, await ForeignKeyReader.Read(patient, cancellationToken)) is not { Period: false } key)
            return new Proposal.Refused("only for foreign keys that the schema declares, by equality");
        using var pages = await PageSearch.Of(patient, cancellationToken);
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        if (pages is null || bytes is null)
            return new Proposal.Refused("the pages of the parent cannot be read");
        try
        {
            foreach (var heap in key.ParentHeaps.Where(heap => heap is { Path: not null } && heap.Pages <= PageSearch.MostBlocks))
                if (await Hidden(key, heap, pages, patient, cancellationToken) is { Count: > 0 } hidden)
                    return await Propose(healing, heap, hidden, bytes, patient, cancellationToken);
        }
        catch (IOException failed)
        {
            return new Proposal.Refused($"the parent's files could not be read: {failed.Message}");
        }
        return new Proposal.Refused("no parent lies on its pages with a header that no deletion leaves");
    }

    /// <summary>Versions that end at themselves: of one that was updated the newer one is the row.</summary>
    private static async ValueTask<IReadOnlyList<Tid>> Hidden(
        ForeignKey key, Relation heap, PageSearch pages, Patient patient, CancellationToken cancellationToken)
    {
        if (await OrphanKeys.Wanted(key, pages, patient, cancellationToken) is not { } wanted)
            return [];
        return [.. (await new DeadParents(key, pages, patient.Session).Versions(heap, wanted, cancellationToken))
            .Where(version => HeapTupleHeader.Read(version.Tuple) is { XmaxInvalid: false, IsLockedOnly: false } head && head.Ctid == version.Tid)
            .Select(version => version.Tid)];
    }

    private async ValueTask<Proposal> Propose(
        HealingCase healing, Relation heap, IReadOnlyList<Tid> hidden, IByteSource bytes, Patient patient, CancellationToken cancellationToken)
    {
        if (PagePlan.Obstacle(healing, heap, patient) is { } obstacle)
            return new Proposal.Refused(obstacle);
        if (hidden.Count > MostRows)
            return new Proposal.Refused($"{hidden.Count} parents are hidden: more than damage to single rows would do");
        var blocks = hidden.Select(tid => (long)tid.Block).Distinct().Order().ToList();
        if (await PageWard.Open(heap, healing, blocks, bytes, patient, clock, cancellationToken) is not { } ward)
            return new Proposal.Refused("the parent's columns could not be read");
        IReadOnlyList<Witness> children = [new Witness("children", true, $"rows of {healing.Target.Name} refer to it")];
        foreach (var block in blocks)
            await ward.Treat(block, hidden.Where(tid => tid.Block == block).ToDictionary(tid => tid.Item, _ => children), cancellationToken);
        return ward.Mended.Count == 0
            ? new Proposal.Refused(ward.Reason ?? "its page says that it was deleted")
            : new Proposal.Planned(PagePlan.Of(Id, healing, heap, patient, ward));
    }
}
