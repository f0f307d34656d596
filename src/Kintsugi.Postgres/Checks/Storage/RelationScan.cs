using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Pages.Indexes;
using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Checks.Maps;
using Kintsugi.Postgres.Files.Reading;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>All files of one relation (or a range of its main fork), at the path where they lay when it was asked.</summary>
internal sealed class RelationScan(Relation relation, string path, Target target, Patient patient, IByteSource bytes,
    TimeProvider clock)
{
    private readonly List<Suspect> suspects = [];
    private readonly List<Finding> findings = [];
    private readonly bool live = patient.IsLive;
    private readonly Witness witness = new(relation, path, patient, bytes);

    /// <summary>Where each page of the main fork is noted, or null.</summary>
    public PageTrack? Track { get; init; }

    /// <summary>Why part of it could not be judged, or null.</summary>
    public string? Doubt { get; private set; }

    public IReadOnlyList<Finding> Findings => findings;

    /// <summary>What its pages look like as they were read first (<see cref="Bodies"/>).</summary>
    public ulong Sum { get; private set; }

    /// <summary>Blocks of the main fork as they were counted.</summary>
    public long Blocks
    {
        get => witness.Blocks;
        private set => witness.Blocks = value;
    }

    public async ValueTask Run(long first, long end, CancellationToken cancellationToken)
    {
        var walEnd = await WalEnd.Ask(patient, cancellationToken);
        foreach (var fork in first == 0 ? Forks.All : [Forks.Main])
        {
            var extent = await ForkExtent.Measure(bytes, path, fork, cancellationToken);
            if (fork == Forks.Main)
                Blocks = extent.BlocksOnDisk;
            if (first == 0)
                await JudgeExtent(extent, cancellationToken);
            if (first == 0 && fork == Forks.Init && IsInitMissing(extent))
                findings.Add(InitMissing());
            for (var segment = 0; segment < extent.Lengths.Count; segment++)
                await ScanSegment(extent, segment, fork == Forks.Main ? first : 0, fork == Forks.Main ? end : long.MaxValue,
                    walEnd, cancellationToken);
        }
        await LookAgain(cancellationToken);
        if (first == 0)
            await JudgeEnd(cancellationToken);
        var pages = suspects.FindAll(suspect => suspect.Suspicion.Fault != Faults.FileTruncated);
        findings.AddRange(pages.Take(PageFindings.Most).Select(suspect => PageFindings.OfPage(suspect, target, path, Blocks)));
        if (pages.Count > PageFindings.Most)
            findings.Add(PageFindings.OfTheRest(target, path));
    }

    /// <summary>The first look alone.</summary>
    /// <param name="walEnd">A position that the WAL had already reached: what is younger is for the whole examination.</param>
    /// <param name="cancellationToken">Between two files.</param>
    /// <returns>Whether there is nothing that would have to be looked at again.</returns>
    public async ValueTask<bool> IsClean(ulong walEnd, CancellationToken cancellationToken)
    {
        foreach (var fork in Forks.All)
        {
            var extent = await ForkExtent.Measure(bytes, path, fork, cancellationToken);
            if (fork == Forks.Main)
                Blocks = extent.BlocksOnDisk;
            if ((await FileExtents.Judge(bytes, extent, target, path, cancellationToken)).Count > 0 || (fork == Forks.Init && IsInitMissing(extent)))
                return false;
            for (var segment = 0; segment < extent.Lengths.Count; segment++)
                await ScanSegment(extent, segment, 0, long.MaxValue, walEnd, cancellationToken);
            if (suspects.Count > 0)
                return false;
        }
        return await witness.KnownBehind(cancellationToken) is null;
    }

    /// <summary>Holds the pages against what was seen of them before; what is right is remembered.</summary>
    public async ValueTask Remember(PageHistory history, int segment, CancellationToken cancellationToken)
    {
        // What is damaged, or was cut, must be found again by whoever looks again.
        if (Track is null || findings.Count > 0 || Doubt is not null)
            return;
        var before = await history.Before([path], segment, cancellationToken);
        var (guilty, doubt) = await history.Judge(path, Track, before, bytes, cancellationToken);
        findings.AddRange(guilty.Select(suspect => PageFindings.OfPage(suspect, target, path, Blocks)));
        Doubt = doubt;
        if (guilty.Count == 0)
            await history.Keep([.. history.Records(Track, before)], cancellationToken);
    }

    /// <summary>What others know of blocks behind the end: one finding, because it is one cut.</summary>
    private async ValueTask JudgeEnd(CancellationToken cancellationToken)
    {
        if (findings.Exists(finding => finding.Fault == Faults.FileTruncated || finding.Fault == Faults.FileMissing))
            return;
        if (suspects.Find(suspect => suspect.Suspicion.Fault == Faults.FileTruncated) is { } link)
            findings.Add(PageFindings.OfFile(Faults.FileTruncated, target, Forks.Main, path,
                $"{path} was cut: {link.Suspicion.Evidence}",
                "kintsugi heal rebuilds an index from its table"));
        else if (await witness.KnownBehind(cancellationToken) is { } block && await StillShort(block, cancellationToken))
            findings.Add(witness.MapLies(block) ? MapPages.Finding(Faults.VisibilityMapCorrupt, target, Forks.Vm, VisibilityMap.MapBlock((uint)block),
                $"{path} has {Blocks} blocks, and the visibility map marks block {block} behind its end: whatever comes there would count as visible to all", null)
                : PageFindings.OfFile(Faults.FileTruncated, target, Forks.Main, path,
                $"{path} has {Blocks} blocks, but the visibility map knows rows in block {block}", FileExtents.FromBackup));
    }

    /// <summary>One that has read nothing yet.</summary>
    private Witness Again() => new(relation, path, patient, bytes) { Blocks = Blocks };

    private async ValueTask<bool> StillShort(long block, CancellationToken cancellationToken)
    {
        if (live)
            await Task.Delay(TimeSpan.FromMilliseconds(300), clock, cancellationToken);
        Blocks = (await ForkExtent.Measure(bytes, path, Forks.Main, cancellationToken)).BlocksOnDisk;
        return await Again().KnownBehind(cancellationToken) == block;
    }

    private PageExpectation Expectation(string fork) => new(
        patient.Can.DataChecksums == true, PageKind.Of(relation, fork),
        relation.Kind is 'i' or 'S' || fork is Forks.Vm or Forks.Fsm || relation.AccessMethod is "heap" or "",
        relation.Persistence == 'p' && fork != Forks.Fsm)
    {
        // An index under construction is written in order, its links first.
        Blocks = fork == Forks.Main && relation.Index is { Valid: true, Ready: true, Building: false } ? Blocks : 0,
    };

    private async ValueTask ScanSegment(
        ForkExtent extent, int segment, long first, long end, ulong walEnd, CancellationToken cancellationToken)
    {
        var from = Math.Max(first, segment * (long)PageFormat.BlocksPerSegment);
        var to = Math.Min(end, (segment + 1) * (long)PageFormat.BlocksPerSegment);
        if (from >= to || suspects.Count > PageFindings.Most)
            return;
        await new ForkScan(bytes, path, extent.Fork, Expectation(extent.Fork), walEnd)
        {
            Suspects = suspects,
            MaxSuspects = PageFindings.Most + 1,
            OnZeroPage = extent.Fork == Forks.Main ? witness.OnDisk : null,
            OnPage = extent.Fork == Forks.Main && patient.Bodies is not null ? AddToSum : null,
            Besides = extent.Fork == Forks.Init && relation.Kind == 'i' ? JudgeInit : null,
            Track = extent.Fork == Forks.Main ? Track : null,
        }.Run(from, to, cancellationToken);
    }

    /// <summary>It comes into being with the relation, in the same transaction, and every unlogged one has it (storage.c, reinit.c).</summary>
    private bool IsInitMissing(ForkExtent extent) => relation is { Persistence: 'u', Kind: 'r' or 'm' or 'i' or 't' or 'S' } && !extent.Exists;

    private Finding InitMissing() => PageFindings.OfFile(Faults.FileMissing, target, Forks.Init, path,
        $"{path}_init does not exist: after a crash the server does not empty this unlogged relation, and what it then holds is torn",
        "rebuild it while its content is whole: REINDEX, or ALTER TABLE … SET LOGGED and back");

    /// <summary>An unlogged index begins anew from these pages after a crash; nobody else reads them before.</summary>
    private Suspicion? JudgeInit(long block, ReadOnlyMemory<byte> page) =>
        IndexKinds.Of(relation.AccessMethod) is not IndexKind.None and var kind
        && IndexPages.Read(kind, page.Span, block, checksums: false, new IndexPageContent()) is { } why
            ? new Suspicion(Faults.PageInvalid, $"an empty {relation.AccessMethod} index cannot begin with it: {why}; after a crash the index would be made from it")
            : null;

    private void AddToSum(long block, ReadOnlyMemory<byte> page) =>
        Sum = Bodies.Add(Sum, block, PageHeader.Read(page.Span).Lsn, PageChecksum.Stored(page.Span));

    private async ValueTask LookAgain(CancellationToken cancellationToken)
    {
        if (suspects.Count == 0)
            return;
        // Indexes grow: a link is wrong only against the file as it is now.
        Blocks = (await ForkExtent.Measure(bytes, path, Forks.Main, cancellationToken)).BlocksOnDisk;
        var expectations = Forks.All.ToDictionary(fork => fork, Expectation);
        var restless = await new SecondLook(bytes, path, live, clock).Run(suspects, async (suspect, page) =>
        {
            // The WAL has moved on since: a page is stale only against its end after the page was read.
            var walEnd = suspect.Suspicion.Fault == Faults.PageStale ? await WalEnd.Ask(patient, cancellationToken) : 0;
            if (PageJudge.Look(page.Span, suspect.Block, expectations[suspect.Fork], walEnd) is { } suspicion)
                return suspicion;
            if (suspect.Fork == Forks.Init && relation.Kind == 'i')
                return JudgeInit(suspect.Block, page);
            return suspect.Fork == Forks.Main && PageHeader.Read(page.Span).IsNew
                && await witness.Holds(suspect.Block, cancellationToken)
                ? await Again().OnDisk(suspect.Block, cancellationToken)
                : null;
        }, cancellationToken);
        if (restless.Count > 0)
            Doubt = $"block {restless[0].Block} of {path} ({restless[0].Fork}) was written at every look; run it again when the "
                + $"server is less busy";
    }

    /// <summary>Files grow and shrink while they are measured: only what is wrong twice is wrong.</summary>
    private async ValueTask JudgeExtent(ForkExtent extent, CancellationToken cancellationToken)
    {
        var wrong = await FileExtents.Judge(bytes, extent, target, path, cancellationToken);
        for (var round = 0; wrong.Count > 0 && live && round < 2; round++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), clock, cancellationToken);
            wrong = await FileExtents.Judge(
                bytes, await ForkExtent.Measure(bytes, path, extent.Fork, cancellationToken), target, path, cancellationToken);
        }
        findings.AddRange(wrong);
    }
}
