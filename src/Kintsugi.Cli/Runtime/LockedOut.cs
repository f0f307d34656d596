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
            : new ScrubReport(report.Started, report.Finished, [.. report.Examinations, Refused(refusal, source)]) { Depth = report.Depth });
    }

    private static string? Find(PatientArguments patient, CliContext context) =>
        patient.DataDirectory ?? Clinic.Resolve(patient, context).Settings.Hosts.Select(RunningServers.DirectoryOf)
            .FirstOrDefault(found => found is not null);

    /// <summary>Where the files explain nothing the refusal itself is the evidence: a sound server lets in whom its rules let in.</summary>
    private static Examination Refused(PatientException refusal, OfflineSource source)
    {
        var server = new Target { Server = source.Server.SystemIdentifier, Kind = TargetKind.Server, Rule = "connect" };
        return new Examination("connect", server, new Verdict.Damaged(new Finding(Faults.CatalogInconsistent, server, refusal.Message)
        {
            Check = "connect",
            SqlState = refusal.SqlState,
            SeverityOverride = Severity.Critical,
            Hint = "no page and no file of the cluster shows why: the rows of its catalogs contradict each other. Copy the data directory before "
                + "anything else, and do not restart the server: it may not start again",
        }), TimeSpan.Zero);
    }
}
