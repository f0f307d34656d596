using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating.Stopped;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Scratch;

/// <summary>Starts a laid-out copy of a cluster as a scratch server and examines every database of it.</summary>
/// <param name="programs">The directory of postgres and pg_ctl.</param>
/// <param name="livingOwner">Whose the original's files are; null when there is none on this machine.</param>
public sealed class ClusterTrial(string programs, int? livingOwner, Registry registry, TimeProvider clock)
{
    /// <param name="data">The data directory of the copy.</param>
    /// <param name="steps">What is put into it first.</param>
    /// <exception cref="HealingException">It does not start, or nobody can enter it.</exception>
    public async ValueTask<TrialReport> Run(
        string data, IReadOnlyList<Step> steps, ScrubSettings settings, IProgress<ScrubProgress>? progress, CancellationToken cancellationToken)
    {
        foreach (var step in steps)
            await ClusterFileStep.Run(ClusterFileStep.ForCopy(step, data), data, cancellationToken);
        var user = await new RawCatalog(DataDirectory.Open(data)).BootstrapSuperuser(cancellationToken) ?? "postgres";
        await using var server = await ScratchServer.Start(programs, data, livingOwner, clock, cancellationToken);
        await using var factory = new SessionFactory(database => server.ConnectionString(database ?? "template1", user), new SessionLimits());
        try
        {
            var source = await PatientSource.Connect(factory, null, null, data, new Pace(null, clock), cancellationToken);
            // Settings, activity and log are those of the scratch server.
            var report = await new Scrub([.. registry.Checks.Where(check => check.Layer != Layer.Server)], source, clock, progress).Run(settings, cancellationToken);
            return new TrialReport(source.Server, report, source.Closed);
        }
        catch (PatientException refused)
        {
            throw new HealingException($"the copy starts, but cannot be examined: {refused.Message}", mayPass: false, refused);
        }
    }
}

/// <param name="Closed">Databases that cannot be entered, with the reason.</param>
public sealed record TrialReport(Capabilities Server, ScrubReport Scrub, IReadOnlyDictionary<string, string> Closed)
{
    /// <summary>
    /// What speaks against laying the same in place: damage at or below the rows that was not seen before. Indexes and rules above them can be healed through
    /// the server once it runs.
    /// </summary>
    /// <param name="before">What was found before anything was put into the copy.</param>
    public IReadOnlyList<string> Objections(IReadOnlyList<Finding> before)
    {
        var known = before.Select(finding => finding.Id).ToHashSet();
        return
        [
            .. Closed.Select(pair => $"database {pair.Key} cannot be entered: {pair.Value}"),
            .. Scrub.Findings.Where(finding => !finding.Fault.Advice && finding.Fault.Layer <= Layer.Heap && !known.Contains(finding.Id))
                .Select(finding => $"{finding.Target.Name}: {finding.Evidence}"),
        ];
    }
}
