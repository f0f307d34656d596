using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Postgres;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Cli.Runtime;

/// <summary>
/// A server that runs, answers and lets nobody into the database: what its catalogs or files have lost is seen in the files beside it.
/// </summary>
internal static class LockedOut
{
    /// <summary>Refusals that say nothing about damage (PostgreSQL manual, appendix A): who may come in, and how many.</summary>
    private static bool IsOrdinary(string state) =>
        state.StartsWith("28", StringComparison.Ordinal) || state is "42501" or "53300" or "55000" or "08P01" or "0A000" or "57014";

    /// <summary>
    /// Refusals that are evidence by themselves: the server's own words for damage, a file that is gone, and a name of pg_catalog that it does not
    /// know, for no statement of ours names anything else before it is let in. All others count only with what the files show: a database whose
    /// directory is gone is told as one that does not exist, a server whose processes die of damage is always just starting, and a session that an
    /// administrator ended or that found no memory says nothing.
    /// </summary>
    internal static bool IsEvidence(string state) =>
        state.StartsWith("XX", StringComparison.Ordinal) || state is "58P01" or "3F000" or "42P01" or "42703" or "42704" or "42883";

    /// <returns>What the files say, or null when the refusal has another reason or the files cannot be read from here.</returns>
    public static async ValueTask<(OfflineSource Source, ScrubReport Report)?> Examine(
        PatientException refusal, PatientArguments patient, ScrubArguments scrub, OutputArguments output, CliContext context,
        CancellationToken cancellationToken)
    {
        if (refusal.SqlState is not { } state || IsOrdinary(state) || Find(patient, context) is not { } path)
            return null;
        var source = await OfflineSource.Open(path, new Pace(scrub.MaxRate * 1_000_000, context.Clock), cancellationToken);
        if (!source.Server.ServerRuns)
            return null;
        var registry = PostgresRegistry.Create();
        // All that looks at a stopped cluster as well. The server writes meanwhile, and what is newest lies in its buffers alone: what tuples say is provisional.
        var beyond = registry.Checks.Where(check => check.Needs.Sql && check.Layer != Layer.Server).Select(check => check.Id);
        var narrowed = scrub with { Settings = scrub.Settings with { Skip = scrub.Settings.Skip.Union(beyond).ToHashSet() } };
        var report = await Scrubbing.Run(source, registry, narrowed, output, context, cancellationToken);
        if (!IsEvidence(state) && report.Findings.Count == 0)
            return null;
        await context.Error.WriteLineAsync($"kintsugi: {refusal.Message} (SQLSTATE {state}). The files in {path} were examined instead.");
        return (source, report.Findings.Count > 0 ? report
            : new ScrubReport(report.Started, report.Finished, [.. report.Examinations, Refused(refusal, source, Database(patient, source, context))]) { Depth = report.Depth });
    }

    /// <summary>What one try at a damaged catalog index does not open, the next may: each rebuilds what it has seen.</summary>
    private const int MostTries = 3;

    /// <summary>Enters a server for a repair; where its catalogs keep everybody out, they are healed first.</summary>
    /// <exception cref="PatientException">It lets nobody in for a reason that is no damage.</exception>
    public static async ValueTask<Entry> Enter(
        PatientArguments patient, ScrubArguments scrub, HealArguments heal, OutputArguments output, CliContext context, CancellationToken cancellationToken)
    {
        var cases = new List<CaseReport>();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new Entry(await Clinic.Connect(patient, scrub.MaxRate, context, cancellationToken), null, cases);
            }
            catch (PatientException refusal) when (!cancellationToken.IsCancellationRequested && attempt <= MostTries)
            {
                if (await Examine(refusal, patient, scrub, output, context, cancellationToken) is not var (source, report))
                    throw;
                var (configuration, settings) = Clinic.Resolve(patient, context);
                await using var ledger = Memory.Open(context);
                await using var doors = Clinic.Doors(settings);
                var treated = await new LockedTheatre(source.Directory.Path, doors, configuration, ledger, heal, scrub, output, context)
                    .Run(source, report, cancellationToken);
                cases.AddRange(treated);
                if (!treated.Any(done => done.Outcome is Outcome.Healed))
                    return new Entry(null, (source, PostgresRegistry.LockedOut(), report), cases);
            }
        }
    }

    private static string? Find(PatientArguments patient, CliContext context) =>
        patient.DataDirectory ?? Clinic.Resolve(patient, context).Settings.Hosts.Select(RunningServers.DirectoryOf)
            .FirstOrDefault(found => found is not null);

    private static Examination Refused(PatientException refusal, OfflineSource source, string? database)
    {
        var door = ConnectCheck.Door(source.Server.SystemIdentifier, database);
        return new Examination("connect", door, ConnectCheck.Refused(refusal, door), TimeSpan.Zero);
    }

    /// <summary>The database at whose door we stood, where the files know it.</summary>
    public static string? Database(PatientArguments patient, OfflineSource source, CliContext context) =>
        Clinic.Resolve(patient, context).Settings.Database is { } name && source.Databases.Contains(name) ? name : null;
}

/// <summary>How a server was entered.</summary>
/// <param name="Clinic">Null where it still lets nobody in.</param>
/// <param name="Cases">What was healed at the door.</param>
internal sealed record Entry(Clinic? Clinic, (OfflineSource Source, Registry Registry, ScrubReport Report)? Locked, IReadOnlyList<CaseReport> Cases);
