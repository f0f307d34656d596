using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>What the checks of relation files share: pieces of a gigabyte, and following a relation that changes its file
/// meanwhile.</summary>
internal static class RelationPages
{
    private const long BlocksPerPortion = PageFormat.BlocksPerSegment;

    /// <summary>Rewritten that often while we looked: it will be rewritten again.</summary>
    private const int MaxMoves = 4;

    /// <summary>
    /// One answer for the whole database where nothing can be read: relation by relation it would deny the later layers their
    /// ground, although what they read through the server has its checksum verified on the way.
    /// </summary>
    public static async ValueTask<IReadOnlyList<Portion>> Divide(
        Patient patient, string? database, IEnumerable<Relation> relations, CancellationToken cancellationToken)
    {
        using var bytes = await ByteSource.Of(patient, cancellationToken);
        // Before any page is read: what the checkpoint wrote is then in the files.
        if (patient is { Bodies: { } bodies, Files.Directory: { } directory } && DataDirectory.Open(directory) is { IsControlTrusted: true, Control: { } control })
            bodies.CheckpointAt = DateTimeOffset.FromUnixTimeSeconds(control.CheckpointTime);
        if (bytes is not null)
            return [.. relations.SelectMany(relation => Divide(relation, patient))];
        var whole = new Target
        {
            Server = patient.Can.SystemIdentifier,
            Database = database,
            Kind = database is null ? TargetKind.Server : TargetKind.Database,
        };
        return [new Portion(whole) { Settled = new Verdict.Unchecked(
            "its files cannot be read: run on the server's machine as the owner "
            + "of the data directory, or GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, "
            + "boolean), "
            + $"pg_catalog.pg_stat_file(text, boolean) TO {Quote.Identifier(patient.Can.User)}") }];
    }

    private static IEnumerable<Portion> Divide(Relation relation, Patient patient)
    {
        var portion = Eligible.Portion(relation, patient) with { StandsOn = [] };
        if (relation.IsShared)
            portion = portion with { Target = portion.Target with { Database = null } };
        var known = patient.Files is { } files && relation.Path is not null ? BlocksOf(files, relation.Path) : relation.Pages;
        if (portion.Settled is not null || known <= BlocksPerPortion)
        {
            yield return portion with { Weight = known };
            yield break;
        }
        for (var first = 0L; first < known; first += BlocksPerPortion)
            yield return portion with
            {
                FirstBlock = first,
                // The last one is open: the relation may grow meanwhile.
                Blocks = first + BlocksPerPortion < known ? BlocksPerPortion : long.MaxValue,
                Weight = Math.Min(BlocksPerPortion, known - first),
            };
    }

    /// <summary>Many small relations, one question about the WAL; a file that fails is for the whole examination.</summary>
    public static async ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (patient.Files?.Directory is null)
            return [];
        using var bytes = await ByteSource.Of(patient, cancellationToken)
            ?? throw new InvalidOperationException("a directory of this machine can be read");
        var walEnd = await WalEnd.Ask(patient, cancellationToken);
        var history = await PageHistory.Of(patient, bytes, cancellationToken);
        var placed = portions.Where(portion => portion.Relation!.Path is not null).ToList();
        IReadOnlyList<PageRecord> known = history is null ? [] : await history.Before([.. placed.Select(portion => portion.Relation!.Path!)], null, cancellationToken);
        var before = known.ToLookup(record => record.Path);
        var clean = new List<Portion>();
        var records = new List<PageRecord>();
        foreach (var portion in placed)
        {
            var path = portion.Relation!.Path!;
            var track = history is null ? null : PageHistory.Track(portion.Relation, path, patient);
            var scan = new RelationScan(portion.Relation!, path, portion.Target, patient, bytes, clock) { Track = track };
            if (!await scan.IsClean(walEnd, cancellationToken))
                continue;
            IReadOnlyList<PageRecord> old = [.. before[path]];
            if (track is not null && history!.HasOlder(track, old))
                continue;
            clean.Add(portion);
            patient.Bodies?.Report(portion, path, scan.Sum);
            if (track is not null)
                records.AddRange(history!.Records(track, old));
        }
        if (history is not null)
            await history.Keep(records, cancellationToken);
        return clean;
    }

    public static async ValueTask<Verdict> Examine(
        Portion portion, Patient patient, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var bytes = await ByteSource.Of(patient, cancellationToken)
            ?? throw new InvalidOperationException("Divide answers for a role that may read no file");
        var relation = portion.Relation!;
        var path = relation.Path ?? await PathNow(relation, null, patient, cancellationToken);
        for (var move = 0; path is not null && move < MaxMoves; move++)
        {
            // A control file of this moment: what is on disk by then, the pages that are read after it must show.
            var history = await PageHistory.Of(patient, bytes, cancellationToken);
            var scan = new RelationScan(relation, path, portion.Target, patient, bytes, clock)
            {
                Track = history is null ? null : PageHistory.Track(relation, path, patient),
            };
            var end = portion.Blocks == long.MaxValue ? long.MaxValue : portion.FirstBlock + portion.Blocks;
            await scan.Run(portion.FirstBlock, end, cancellationToken);
            if (history is not null)
                await scan.Remember(history, (int)(portion.FirstBlock / BlocksPerPortion), cancellationToken);
            if (scan.Findings.Count == 0 && scan.Doubt is null)
            {
                patient.Bodies?.Report(portion, path, scan.Sum);
                return Verdict.Sound.Instance;
            }
            var now = await PathNow(relation, path, patient, cancellationToken);
            if (now == path)
                return scan.Findings.Count > 0 ? new Verdict.Damaged(Weigh(scan.Findings, patient))
                    : new Verdict.Unchecked(scan.Doubt!);
            path = now;
            bytes.Reopen();
        }
        return path is null
            ? new Verdict.NotApplicable("dropped meanwhile")
            : new Verdict.Unchecked("it got a new file each time while it was read; run it again when nothing rewrites it");
    }

    /// <summary>Without a clean stop, replay of the WAL may still mend what was found, and no repair may come before
    /// it.</summary>
    internal static IReadOnlyList<Finding> Weigh(IReadOnlyList<Finding> findings, Patient patient)
    {
        if (patient.Sql is not null || patient.Files?.Directory is not { } path || DataDirectory.Open(path) is not { IsShutDown: false } directory)
            return findings;
        // A server that runs, though it lets nobody in, has the replay behind it.
        if (patient.Can.ServerRuns && directory is { IsControlTrusted: true, Control.State: Kintsugi.Pages.Files.ClusterState.InProduction })
            return findings;
        var why = patient.IsLive ? "the server runs and lets nobody in: it may hold a newer page in memory, and cannot be asked"
            : "the cluster was not shut down cleanly (or this is a backup): replay of its WAL may mend the page";
        return [.. findings.Select(finding => finding with { Provisional = why })];
    }

    /// <summary>Where the catalog says that it lies now; null when the relation is gone. What cannot be asked is taken to be as
    /// it was.</summary>
    private static async ValueTask<string?> PathNow(Relation relation, string? before, Patient patient,
        CancellationToken cancellationToken)
    {
        if (patient.Sql is not { } session)
            return before;
        try
        {
            var path = await session.Rows("SELECT pg_catalog.pg_relation_filepath($1::pg_catalog.regclass)",
                row => row.IsDBNull(0) ? null : row.GetString(0), cancellationToken, relation.Oid);
            return path[0];
        }
        catch (PatientException problem)
            when (SqlStates.MeansDamage(problem) || problem.SqlState == SqlStates.InsufficientPrivilege)
        {
            return before;
        }
    }

    private static long BlocksOf(IPatientFiles files, string path)
    {
        var blocks = 0L;
        for (var segment = 0; ; segment++)
        {
            var length = files.Length(Forks.File(path, Forks.Main, segment));
            blocks += Math.Max(0, length) / PageFormat.Size;
            if (length < Forks.SegmentBytes)
                return blocks;
        }
    }
}
