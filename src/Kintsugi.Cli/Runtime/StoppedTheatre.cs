using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Configuration;
using Kintsugi.Postgres;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating.Stopped;
using Kintsugi.State;

namespace Kintsugi.Cli.Runtime;

/// <summary>
/// Heals the files of a cluster whose server is down. All that can be put back is tried together on a copy, which is started and examined in full;
/// only then, with approval, each file is put in place. The copy is the snapshot as well: one reading of the cluster serves both.
/// </summary>
internal sealed class StoppedTheatre(
    OfflineSource source, KintsugiConfiguration configuration, StoredLedger ledger, HealArguments heal, ScrubArguments scrub, OutputArguments output,
    PlanFile? approved, CliContext context)
{
    private readonly List<CaseReport> treated = [];
    private readonly SnapshotStore store = Shelf.Open(configuration, context);
    private string? stopped;
    private Trial trial = Trial.NotYet;

    public Registry Registry { get; } = PostgresRegistry.Stopped();

    public async ValueTask<(IReadOnlyList<CaseReport> Cases, ScrubReport Last)> Run(CancellationToken cancellationToken)
    {
        stopped = await CircuitBreaker.State(ledger, source.Server.SystemIdentifier, cancellationToken);
        if (stopped is null)
            await FinishKilledRuns(cancellationToken);
        var report = await Scrubbing.Run(source, Registry, scrub, output, context, cancellationToken);
        var accepted = await Baseline.Of(ledger, source.Server.SystemIdentifier, report.Findings, context.Clock.GetUtcNow(), cancellationToken);
        var planner = new Planner(Registry, source);
        var prospects = new List<Prospect>();
        foreach (var healing in Diagnosis.Cases(report.Findings).Where(healing => Registry.RepairsFor(healing.Fault).Any() && !accepted.Covers(healing)))
            prospects.Add(await planner.Propose(healing, cancellationToken));
        if (stopped is null && (heal.Yes || (context.Interactive && !output.Json)) && prospects.Any(prospect => prospect.Plan is not null))
            trial = await new ClusterRehearsal(source, store, ledger, heal, scrub, output, context).Try(prospects, report, cancellationToken);
        foreach (var prospect in prospects.Where(prospect => IsMeant(prospect.Case)))
            await Treat(prospect, cancellationToken);
        return (treated, treated.Any(done => done.Outcome is Outcome.Healed)
            ? await Scrubbing.Run(await Fresh(cancellationToken), Registry, scrub, output, context, cancellationToken) : report);
    }

    /// <summary>A file that a killed run has put in place accuses nobody any more, but its case is open still, and an unfinished draft may lie beside it.</summary>
    private async ValueTask FinishKilledRuns(CancellationToken cancellationToken)
    {
        foreach (var row in await ledger.Cases(source.Server.SystemIdentifier, cancellationToken))
        {
            var history = new CaseHistory(await ledger.FactsOf(row.Id, cancellationToken));
            var cut = history.Unfinished is not null || (history.Interrupted && history.StepsDone);
            if (!cut || history.ReadPlan()?.Steps.All(step => step.Kind == ClusterFileStep.Name) != true || history.ReadCase(row.Id) is not { } healing)
                continue;
            await context.Error.WriteLineAsync($"kintsugi: an earlier run of case {row.Id} was killed half way; finishing it first");
            treated.Add(await (await Healer(cancellationToken)).Heal(healing, cancellationToken));
        }
    }

    private bool IsMeant(HealingCase healing) =>
        treated.All(done => done.Case.Id != healing.Id || done.Outcome is not Outcome.Healed)
        && (heal.Cases.Count == 0 || heal.Cases.Contains(healing.Id)) && (approved is null || approved.PlanHashes.ContainsKey(healing.Id));

    private async ValueTask Treat(Prospect prospect, CancellationToken cancellationToken)
    {
        var healing = prospect.Case;
        if (!output.Quiet && !output.Json)
            await context.Error.WriteLineAsync($"case {healing.Id}: {healing.Cause}");
        if (approved is not null && prospect.Plan?.Hash != approved.PlanHashes[healing.Id])
            treated.Add(new CaseReport(healing, new Outcome.Escalated(
                $"the evidence of {approved.Path} no longer holds: the plan would now be another one. Make it again with plan -D --out")));
        else if (trial is { Beside: { } place } && prospect.Plan is { } plan)
            treated.Add(new CaseReport(healing, new Outcome.Waiting(plan, $"put into the copy beside, in {place}; the original was not touched")) { Plan = plan });
        else
        {
            if (approved is not null && heal.Yes && trial.Failure is null)
                await Approve(healing, approved, cancellationToken);
            treated.Add(await (await Healer(cancellationToken)).Heal(healing, cancellationToken));
        }
    }

    /// <summary>A person has read that very plan: its hash was in the file that was named.</summary>
    private async ValueTask Approve(HealingCase healing, PlanFile file, CancellationToken cancellationToken)
    {
        var person = context.Around.OperatingSystemUser;
        await CaseFiling.File(ledger, context.Clock, healing, cancellationToken);
        await ledger.Append(new Fact(healing.Id, healing.Target.Server, Facts.Approved, $"approved by {person} with the plan file {file.Path}",
            Facts.Data(("by", person), ("because", $"plan file {file.Path}"), ("plan", file.PlanHashes[healing.Id])), context.Clock.GetUtcNow()), cancellationToken);
    }

    private async ValueTask<Healer> Healer(CancellationToken cancellationToken)
    {
        var now = await Fresh(cancellationToken);
        return new Healer(new Planner(Registry, now), now, new Examiner(Registry, now, scrub.Settings.Depth), new StoppedRoom(source.Directory.Path),
            trial, ledger, Policy(null), context.Clock)
        {
            Ask = (healing, _) => Policy(healing) with { Consent = heal.Yes || trial.Snapshot is not null, Allow = heal.Allow },
            Progress = output.Quiet || output.Json ? null : new FactLine(context, output.Verbose),
        };
    }

    private Policy Policy(HealingCase? healing) =>
        configuration.PolicyFor(configuration.Targets[0], healing?.Database, null, null) with { Limits = null, Stopped = stopped ?? trial.Failure };

    /// <summary>What is known of the cluster changes with each file that comes back.</summary>
    private async ValueTask<OfflineSource> Fresh(CancellationToken cancellationToken) =>
        await OfflineSource.Open(source.Directory.Path, new Pace(scrub.MaxRate * 1_000_000, context.Clock), cancellationToken);
}
