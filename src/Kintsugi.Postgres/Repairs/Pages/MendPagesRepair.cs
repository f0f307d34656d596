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
/// header, line pointers, tuple headers, lengths. No byte of a value is ever guessed, and nothing is removed (HEALING.md section 4; 1.4 for the writing).
/// </summary>
public sealed class MendPagesRepair(TimeProvider clock) : IRepair
{
    /// <summary>More pages at once are no accident of single fields any more.</summary>
    private const int MostPages = 64;

    public string Id => "mend-pages";
    public string Does => "puts back damaged fields of table pages that the rest of the page and its indexes leave one answer for";
    public IReadOnlyList<FaultClass> Mends => [Faults.PageChecksum, Faults.PageInvalid, Faults.HeapCorrupt, Faults.ToastCorrupt];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (Table(healing, patient) is not { } table)
            return new Proposal.Refused($"{healing.Target.Name}: not blocks of one table's own file");
        if (Obstacle(healing, table, patient) is { } obstacle)
            return new Proposal.Refused(obstacle);
        var blocks = healing.Findings.Select(finding => finding.Target.Block!.Value).Distinct().Order().ToList();
        if (blocks.Count > MostPages)
            return new Proposal.Refused($"{blocks.Count} pages of {healing.Target.Name} are damaged: that points at the disk or its driver, not at single fields");
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        if (bytes is null || await HeapReading.Begin(table, bytes, patient, clock, cancellationToken) is not { KnowsColumns: true } reading)
            return new Proposal.Refused("its pages or the definition of its columns could not be read");
        try
        {
            var witnesses = new PageWitnesses(table, healing, patient, bytes, (IPageView?)BufferView.Of(patient) ?? new FileView(bytes, patient, clock));
            await witnesses.Hear(blocks, cancellationToken);
            var ward = new PageWard(reading, witnesses, patient);
            foreach (var block in blocks)
                await ward.Treat(block, cancellationToken);
            return ward.Mended.Count == 0
                ? new Proposal.Refused(ward.Reason ?? "nothing that is wrong with it lies in a field that could be put back")
                : new Proposal.Planned(Planned(healing, table, patient, ward));
        }
        catch (IOException failed)
        {
            return new Proposal.Refused($"its files could not be read: {failed.Message}");
        }
    }

    private static Relation? Table(HealingCase healing, Patient patient) =>
        healing.Findings.All(finding => finding.Target.Block is not null && finding.Target.Fork is null or Forks.Main)
        && healing.Findings.Select(finding => (finding.Target.ObjectSchema, finding.Target.Object)).Distinct().Count() == 1
        && patient.Relations.Find(healing.Target.ObjectSchema ?? healing.Target.Schema, healing.Target.Object ?? healing.Target.Relation)
            is { HasHeap: true, Path: not null } table ? table : null;

    private static string? Obstacle(HealingCase healing, Relation table, Patient patient)
    {
        if (table.Kind == 'm')
            return $"a materialized view is derived: REFRESH MATERIALIZED VIEW {Quote.Name(table)} writes it anew";
        if (table.IsCatalog || table.IsShared)
            return "a page of a system catalog is not written under a running server: stop it and restore the page, with a snapshot of the cluster first";
        if (!patient.Can.Superuser || patient.Can.InRecovery)
            return "to write pages a superuser of the primary is needed";
        if (BufferEviction.Lack(patient.Can) is { } lack)
            return $"the server lacks the contrib module {lack}, which makes it forget a damaged page: install the contrib package";
        if (patient.Can.Major < 17 && BufferEviction.Room(patient.Can) > BufferEviction.MostBytes)
            return "before 17 all of shared_buffers has to make room for one page, and there is more than 2 GB of it here: upgrade, or mend it in a restart";
        return healing.Obstacle(Faults.CatalogInconsistent, Faults.TransactionStatusMissing, Faults.FileTruncated, Faults.FileMissing) is { } sick
            ? $"{sick.Fault.Id} is open on {sick.Target.Name}: it comes first" : null;
    }

    private Plan Planned(HealingCase healing, Relation table, Patient patient, PageWard ward)
    {
        var owner = table.IsToast ? patient.Relations.Find(table.TableOid)! : table;
        var all = ward.Mended.SelectMany(page => page.Corrections).ToList();
        var step = new Step(WritePagesStep.Name, $"{Quote.Name(table)}: {string.Join("; ", ward.Mended.Select(page => page.Sentence))}")
        {
            Database = healing.Database,
            Lock = "AccessExclusive",
            Grade = all.Exists(correction => correction.Basis == Basis.Testimony) ? Grade.Reversible : Grade.Lossless,
            Why = "the table is locked while the server forgets its copies of the pages and reads the mended ones back; that is not waited for longer than "
                + "2 seconds, and held for well under a second (before 17: until all of shared_buffers was read over)",
            Arguments = new Dictionary<string, string>
            {
                ["relation"] = Quote.Name(table),
                ["table"] = Quote.Name(owner),
                ["path"] = table.Path!,
                ["rows"] = ward.Rows.ToString(CultureInfo.InvariantCulture),
                ["pages"] = PageChange.Write(ward.Mended.Select(page => page.Change)),
            },
        };
        return new Plan(Id, [step])
        {
            Case = healing.Id,
            Alters = [healing.Target with { Block = null, Offset = null, Column = null, Fork = null }],
            Snapshot = SnapshotGrade.Relation,
            RowsChanged = ward.Rows,
            TableRows = table.Rows,
            DiskBytes = patient.Can.Major < 17 ? BufferEviction.Room(patient.Can) : 0,
            NeedsApproval = ward.Approval,
            Warnings = [.. all.SelectMany(correction => correction.Witnesses).Select(witness => witness.Because).Distinct(),
                "Only the page on this server is written: a standby has its own, and is checked by itself."],
        };
    }
}
