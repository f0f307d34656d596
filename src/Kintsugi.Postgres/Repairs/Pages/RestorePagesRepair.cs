using Kintsugi.Pages;
using Kintsugi.Postgres.Checks.Storage;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Pages;

/// <summary>
/// Puts back whole pages of tables as the WAL in pg_wal has them: the full-page image where it is the last word, else the image with everything that came after,
/// replayed by a server apart. The page must carry the LSN of the last record that touched it.
/// </summary>
public sealed class RestorePagesRepair(TimeProvider clock) : IRepair
{
    public string Id => "restore-pages";
    public string Does => "puts back pages of tables as the write-ahead log proves them";
    public IReadOnlyList<FaultClass> Mends => [Faults.PageChecksum, Faults.PageInvalid, Faults.PageStale, Faults.HeapCorrupt, Faults.ToastCorrupt];
    public Grade Grade => Grade.Lossless;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if ((PagePlan.Table(healing, patient) ?? PagePlan.Sequence(healing, patient)) is not { } table)
            return new Proposal.Refused($"{healing.Target.Name}: not blocks of one table's own file");
        if (PagePlan.Obstacle(healing, table, patient) is { } obstacle)
            return new Proposal.Refused(obstacle);
        if (table.Persistence != 'p')
            return new Proposal.Refused("the WAL says nothing of unlogged tables");
        if (patient.Files?.Directory is not { } directory)
            return new Proposal.Refused("pg_wal is read on the server's own machine: run kintsugi heal there");
        var blocks = table.Kind == 'S' ? [0] : PagePlan.Blocks(healing);
        if (blocks.Count > PagePlan.MostPages)
            return new Proposal.Refused($"{blocks.Count} pages of {healing.Target.Name} are damaged: that points at the disk or its driver. {ByHand(table, blocks)}");
        try
        {
            var remains = new PageRemains(directory, patient, clock);
            var proven = await remains.Of(table, blocks, cancellationToken);
            var changes = await Changes(table, proven, patient, cancellationToken);
            return changes.Count > 0 ? Planned(healing, table, patient, changes, remains)
                : new Proposal.Refused($"{(proven.Count > 0 ? "what is on the disk is what the WAL says" : remains.Reason)}. {ByHand(table, blocks)}");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return new Proposal.Refused($"the files of {directory} could not be read: {failed.Message}");
        }
    }

    private static async ValueTask<List<PageChange>> Changes(
        Relation table, IReadOnlyDictionary<long, byte[]> proven, Patient patient, CancellationToken cancellationToken)
    {
        using var bytes = await ByteSource.Of(patient, cancellationToken) ?? throw new IOException("nobody may read them");
        var changes = new List<PageChange>();
        var page = new byte[PageFormat.Size];
        foreach (var (block, after) in proven.OrderBy(pair => pair.Key))
        {
            var (file, offset) = Forks.Place(table.Path!, Forks.Main, block);
            if (PageHeader.Read(after).IsPossible && await bytes.Read(file, offset, page, cancellationToken) == page.Length && !page.AsSpan().SequenceEqual(after))
                changes.Add(new PageChange(block, PageChange.Sum(page), after));
        }
        return changes;
    }

    private Proposal.Planned Planned(HealingCase healing, Relation table, Patient patient, IReadOnlyList<PageChange> changes, PageRemains remains)
    {
        var words = string.Join("; ", changes.Select(change => $"block {change.Block} as the WAL leaves it at {PageJudge.Lsn(PageHeader.Read(change.After).Lsn)}"));
        return new Proposal.Planned(PagePlan.Of(Id, healing, table, patient, changes, words, Grade.Lossless, rows: 0) with
        {
            Warnings =
            [
                $"All WAL from {PageJudge.Lsn(remains.Begins)} to {PageJudge.Lsn(remains.Ends)} was read: nothing changed these blocks after the LSN that they carry now.",
                PagePlan.OnlyHere,
            ],
        });
    }

    /// <summary>What a person can do where the WAL does not reach, the gentlest first.</summary>
    private static string ByHand(Relation table, List<long> blocks)
    {
        var some = string.Join(", ", blocks.Take(8)) + (blocks.Count > 8 ? ", …" : "");
        return $"By hand: (1) loses nothing: recover a base backup or a snapshot to the end of the WAL beside this server (kintsugi snapshots restore ID --to DIR, restore_command, "
            + $"recovery_target_timeline = 'current'), or take a standby that has replayed everything, stop both, and for each of block {some}: dd if=COPY/{table.Path} of=DATA/{table.Path} "
            + $"bs=8192 skip=BLOCK seek=BLOCK count=1 conv=notrunc. (2) Loses what was written since a dump: put the rows of {Quote.Name(table)} back from it. (3) Loses the rows "
            + "of these pages that no index and no copy knows: kintsugi page shows what is left on them, and a covering index may still have their keys";
    }
}
