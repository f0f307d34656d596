using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Mending;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>
/// Puts back fields of heap and TOAST pages that what is left of the page, its indexes and the visibility map leave one answer for: the page's
/// header, line pointers, tuple headers, lengths. No byte of a value is ever guessed, and nothing is removed.
/// </summary>
public sealed class MendPagesRepair(TimeProvider clock) : IRepair
{
    public string Id => "mend-pages";
    public string Does => "puts back damaged fields of table pages that the rest of the page and its indexes leave one answer for";
    public IReadOnlyList<FaultClass> Mends => [Faults.PageChecksum, Faults.PageInvalid, Faults.HeapCorrupt, Faults.ToastCorrupt];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (PagePlan.Table(healing, patient) is not { } table)
            return new Proposal.Refused($"{healing.Target.Name}: not blocks of one table's own file");
        if (PagePlan.Obstacle(healing, table, patient) is { } obstacle)
            return new Proposal.Refused(obstacle);
        var blocks = PagePlan.Blocks(healing);
        if (blocks.Count > PagePlan.MostPages)
            return new Proposal.Refused($"{blocks.Count} pages of {healing.Target.Name} are damaged: that points at the disk or its driver, not at single fields");
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        if (bytes is null)
            return new Proposal.Refused("its pages cannot be read");
        try
        {
            if (await PageWard.Open(table, healing, blocks, bytes, patient, clock, cancellationToken) is not { } ward)
                return new Proposal.Refused("the definition of its columns could not be read");
            foreach (var block in blocks)
                await ward.Treat(block, PageWard.Nobody, cancellationToken);
            return ward.Mended.Count == 0
                ? new Proposal.Refused(ward.Reason ?? "nothing that is wrong with it lies in a field that could be put back")
                : new Proposal.Planned(PagePlan.Of(Id, healing, table, patient, ward));
        }
        catch (IOException failed)
        {
            return new Proposal.Refused($"its files could not be read: {failed.Message}");
        }
    }
}
