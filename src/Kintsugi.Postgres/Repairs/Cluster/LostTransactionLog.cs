using System.Globalization;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>
/// A segment of pg_xact, lost or with pages of zeros, from what still tells how its transactions ended: the hint bits of rows, the commit and abort
/// records in pg_wal, and the whole lives that the WAL holds. It is written only where that is proven for every transaction that a row depends on;
/// of the others nobody asks. Otherwise a person is told what each answer would do to which rows.
/// </summary>
internal sealed class LostTransactionLog(DataDirectory directory, string path)
{
    private const int MostTold = 12;

    public async ValueTask<ClusterMend> Tell(CancellationToken cancellationToken)
    {
        if (!uint.TryParse(Path.GetFileName(path), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var segment))
            return Unknown("it is no segment of pg_xact");
        if (!directory.IsControlTrusted || directory.Control is not { } control)
            return Unknown("which transactions it has to know stands in the control file, which comes first");
        foreach (var sign in new[] { "backup_label", "standby.signal", "recovery.signal" })
            if (directory.Files.Exists(sign))
                return Unknown($"{sign} is there: transactions that end later are in WAL that comes from elsewhere");
        var evidence = new TransactionEvidence(directory, segment);
        evidence.HearWal(cancellationToken);
        if (evidence.Prepared.Count > 0 || directory.Files.List("pg_twophase").Any(name => !name.EndsWith('/')))
            return Unknown("transactions are prepared (PREPARE TRANSACTION): how far they had come stood in it");
        var (known, derived) = await Known(cancellationToken);
        await evidence.HearRows(known, derived, cancellationToken);
        if (evidence.Unread.Count > 0)
            return Unknown($"{evidence.Unread.Count} pages, files or multixacts cannot be read, and may depend on more transactions: {Some(evidence.Unread)}. Heal these first");
        return Written(segment, control, evidence, Existing());
    }

    private byte[] Existing()
    {
        var file = Path.Combine(directory.Path, path);
        return File.Exists(file) ? File.ReadAllBytes(file) : [];
    }

    private ClusterMend Written(uint segment, ControlFile control, TransactionEvidence evidence, byte[] existing)
    {
        var lost = LostPages(existing, evidence);
        foreach (var (xid, outcome) in evidence.Proven)
            if (CommitLog.Read(existing, xid) is var kept && kept is XidOutcome.Committed or XidOutcome.Aborted && kept != outcome)
                evidence.Contradictions.Add($"transaction {xid.ToString(CultureInfo.InvariantCulture)}: {outcome.ToString().ToLowerInvariant()} by its traces, {kept.ToString().ToLowerInvariant()} in the file");
        if (evidence.Contradictions.Count > 0)
            return Unknown($"what is left contradicts itself: {Some(evidence.Contradictions)}");
        var open = evidence.Dependents.Where(pair => lost(pair.Key) && !evidence.Proven.ContainsKey(pair.Key)
            && CommitLog.Read(existing, pair.Key) is XidOutcome.InProgress or XidOutcome.Unknown && !evidence.NeverCommitted(pair.Key)).ToList();
        if (open.Count > 0)
            return Unknown($"{open.Count} transactions left no trace of their end, and rows depend on them: {string.Join("; ", open.Take(MostTold).Select(pair => Choice(pair.Key, pair.Value)))}"
                + (open.Count > MostTold ? " …" : ""));
        var bytes = new byte[Math.Max(Needed(segment, control, evidence), existing.Length)];
        existing.CopyTo(bytes, 0);
        foreach (var (xid, outcome) in evidence.Proven)
        {
            var place = CommitLog.PlaceOf(xid);
            if (place.Offset < bytes.Length && CommitLog.Read(bytes, xid) == XidOutcome.InProgress)
                bytes[place.Offset] |= (byte)((int)outcome << (int)(xid % 4 * 2));
        }
        var dependents = evidence.Dependents.Keys.Count(xid => lost(xid));
        return new ClusterMend.Content(bytes, $"how {dependents} transactions ended that rows still ask for is proven, and {evidence.Proven.Count} in all, by hint bits of rows and by pg_wal; "
            + "no row depends on another one of what is lost")
        {
            Warnings =
            [
                "transactions that no row depends on are left as never ended: pg_xact_status() says aborted of them",
                .. evidence.Derived.Any(xid => lost(xid) && !evidence.Proven.ContainsKey(xid)) ? (string[])["statistics that ANALYZE wrote last may be gone, and older ones back: run ANALYZE"] : [],
            ],
        };
    }

    /// <summary>Pages that are not there, are all zero, or do not know a transaction that is proven to have ended.</summary>
    private static Func<uint, bool> LostPages(byte[] existing, TransactionEvidence evidence)
    {
        var lost = evidence.Proven.Keys.Where(xid => CommitLog.Read(existing, xid) is XidOutcome.InProgress or XidOutcome.Unknown)
            .Select(xid => CommitLog.PlaceOf(xid).Offset / PageFormat.Size).ToHashSet();
        for (var page = 0; page < LogPlace.PagesPerSegment; page++)
            if ((page + 1) * PageFormat.Size > existing.Length || PageHeader.IsAllZero(existing.AsSpan(page * PageFormat.Size, PageFormat.Size)))
                lost.Add(page);
        return xid => lost.Contains(CommitLog.PlaceOf(xid).Offset / PageFormat.Size);
    }

    private static int Needed(uint segment, ControlFile control, TransactionEvidence evidence)
    {
        var last = CommitLog.PlaceOf(control.NextXid - 1);
        if (last.Segment != segment)
            return LogPlace.SegmentSize;
        var highest = evidence.Proven.Keys.Concat(evidence.Dependents.Keys).Select(xid => CommitLog.PlaceOf(xid).Offset).Append(last.Offset).Max();
        return (highest / PageFormat.Size + 1) * PageFormat.Size;
    }

    /// <summary>
    /// Files of the relations that the catalogs know (where these cannot be read, rows prove nothing), and those of them whose rows ANALYZE makes anew:
    /// with either answer the planner has statistics, of the last ANALYZE or of one before.
    /// </summary>
    private async ValueTask<(HashSet<string> Known, HashSet<string> Derived)> Known(CancellationToken cancellationToken)
    {
        var catalog = new RawCatalog(directory);
        var (known, derived) = (new HashSet<string>(), new HashSet<string>());
        foreach (var database in await catalog.Databases(cancellationToken))
            foreach (var relation in await catalog.Relations(database, cancellationToken))
                if (relation.Path is { } file)
                {
                    known.Add(file);
                    if (relation is { TableName: "pg_statistic" or "pg_statistic_ext_data", IsCatalog: true })
                        derived.Add(file);
                }
        return (known, derived);
    }

    private static string Choice(uint xid, Dependent rows) => $"{xid.ToString(CultureInfo.InvariantCulture)} (taken as committed, {rows.Written} row versions show and "
        + $"{rows.Deleted} deletions count; taken as aborted, these rows are gone for good and the deleted ones come back; first in block {rows.FirstBlock} of {rows.FirstFile})";

    private static string Some(List<string> all) => string.Join("; ", all.Take(3)) + (all.Count > 3 ? " …" : "");

    private ClusterMend.Unknown Unknown(string why) => new($"{path} cannot be told from what is left: {why}. By hand: put the segment back from a backup or a standby of this cluster "
        + $"(cp -p BACKUP/{path} {Path.Combine(directory.Path, path)}): finished transactions never change in it, so it loses nothing where the backup is younger than they are. "
        + "Without one: restore the backup elsewhere and compare, or, on a copy, fill the segment with 0x55 (all committed: rows of aborted transactions appear) and compare with "
        + "one of zeros (all aborted: what is not frozen and has no hint vanishes)");
}
