using System.Buffers.Binary;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>
/// What earlier passes saw of the same files, and whether a page that is older now can be rightly so. It cannot where all changes before its former
/// LSN had to be on disk by now (a checkpoint or restartpoint began behind it), on the same timeline, in the same file of the same relation, and
/// a page that was written later still stands exactly as it was: then the whole was not taken back to an earlier state (a restored backup or
/// volume), but this page alone.
/// </summary>
internal sealed class PageHistory
{
    private const int MostWitnessFiles = 16;

    private readonly IPageLedger ledger;
    private readonly string cluster;
    private readonly ControlFile control;

    private PageHistory(IPageLedger ledger, string cluster, ControlFile control)
    {
        this.ledger = ledger;
        this.cluster = cluster;
        this.control = control;
    }

    /// <summary>Null where nothing is remembered: no ledger, no files on this machine, or no control file that can be believed.</summary>
    public static async ValueTask<PageHistory?> Of(Patient patient, IByteSource bytes, CancellationToken cancellationToken)
    {
        if (patient is not { PageLedger: { } ledger, Files.Directory: { } directory })
            return null;
        bytes.Reopen();
        var file = new byte[ControlFile.FileSize];
        var read = await bytes.Read("global/pg_control", 0, file, cancellationToken);
        var flaws = new List<Flaw>();
        return ControlFile.Read(file.AsSpan(0, read), flaws) is { } control && flaws.Count == 0
            ? new PageHistory(ledger, ClusterOf(patient.Can.SystemIdentifier, directory), control)
            : null;
    }

    /// <summary>The name under which a data directory's pages are remembered.</summary>
    public static string ClusterOf(string systemIdentifier, string directory) => $"{systemIdentifier} {Path.GetFullPath(directory)}";

    /// <summary>A relation whose pages carry places in the WAL; null for all others.</summary>
    public static PageTrack? Track(Relation relation, string path, Patient patient) =>
        patient.PageLedger is { } ledger && relation is { Persistence: 'p' } && (relation.Kind is 'i' or 'S' || relation.AccessMethod is "heap" or "")
            ? new PageTrack(relation, path, patient.Can.DataChecksums == true, ledger.Began)
            : null;

    public ValueTask<IReadOnlyList<PageRecord>> Before(IReadOnlyCollection<string> paths, int? segment, CancellationToken cancellationToken) =>
        ledger.Find(cluster, paths, segment, cancellationToken);

    public bool HasOlder(PageTrack track, IReadOnlyList<PageRecord> before) => track.Older(before, control.Timeline).Any();

    public IEnumerable<PageRecord> Records(PageTrack track, IReadOnlyList<PageRecord> before) => track.Records(before, control.Timeline);

    public ValueTask Keep(IReadOnlyCollection<PageRecord> records, CancellationToken cancellationToken) => ledger.Keep(cluster, records, cancellationToken);

    /// <summary>Looks again at each older page and for a witness. What cannot be proven is told as a doubt, once: the pages are then known as they are.</summary>
    public async ValueTask<(IReadOnlyList<Suspect> Guilty, string? Doubt)> Judge(
        string path, PageTrack track, IReadOnlyList<PageRecord> before, IByteSource bytes, CancellationToken cancellationToken)
    {
        var guilty = new List<Suspect>();
        var open = 0;
        bytes.Reopen();
        foreach (var (block, then, seen) in track.Older(before, control.Timeline).Take(PageFindings.Most))
        {
            if (await PageAt(bytes, path, block, cancellationToken) is not { } page || PageHeader.Read(page) is var header && (header.IsNew || header.Lsn >= then))
                continue;
            if (then > control.Redo || await Witness(then, seen, bytes, cancellationToken) is not { } witness)
            {
                open++;
                continue;
            }
            guilty.Add(new Suspect(Forks.Main, block, new Suspicion(Faults.PageStale,
                $"the page has LSN {PageJudge.Lsn(header.Lsn)}, but LSN {PageJudge.Lsn(then)} was on disk at {seen:u}; {witness}, written later, "
                + "still is as it was, so this page alone is of an earlier time: a write was lost, or an old copy was put in its place"), page));
        }
        return (guilty, open == 0 ? null : $"{open} pages of {path} are older than when they were last seen, and nothing that was written later proves that they alone are: "
            + "if the data directory was put back to an earlier state, all is well; if not, writes were lost. They are taken as they are from now on");
    }

    /// <summary>
    /// A page that was at least as young as that, no later than the older one was seen, and is exactly as it was. What was first seen later may have
    /// been written after the whole had been put back.
    /// </summary>
    private async ValueTask<string?> Witness(ulong lsn, DateTimeOffset seen, IByteSource bytes, CancellationToken cancellationToken)
    {
        foreach (var record in await ledger.Younger(cluster, lsn, control.Timeline, seen, MostWitnessFiles, cancellationToken))
        {
            for (var at = 0; at < record.Pages.Length / PageRecord.BytesPerPage; at++)
            {
                if (PageTrack.LsnAt(record.Pages.Span, at) < lsn)
                    continue;
                var block = (record.Segment * (long)PageFormat.BlocksPerSegment) + at;
                if (await PageAt(bytes, record.Path, block, cancellationToken) is { } page && PageHeader.Read(page).Lsn == PageTrack.LsnAt(record.Pages.Span, at)
                    && PageChecksum.Compute(page, (uint)block) == BinaryPrimitives.ReadUInt16LittleEndian(record.Pages.Span[((at * PageRecord.BytesPerPage) + 8)..]))
                    return $"block {block} of {record.Path}";
            }
        }
        return null;
    }

    private static async ValueTask<byte[]?> PageAt(IByteSource bytes, string path, long block, CancellationToken cancellationToken)
    {
        var page = new byte[PageFormat.Size];
        var (file, offset) = Forks.Place(path, Forks.Main, block);
        return await bytes.Read(file, offset, page, cancellationToken) == page.Length ? page : null;
    }
}
