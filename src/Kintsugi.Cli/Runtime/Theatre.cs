using Kintsugi.Cli.Options;
using Kintsugi.Cli.Output;
using Kintsugi.Postgres.Operating.Locked;
using Kintsugi.State;

namespace Kintsugi.Cli.Runtime;

/// <summary>
/// Scrubs and heals in rounds: what was healed is new ground on which more can be seen, and the last scrub is the proof of the whole.
/// </summary>
internal sealed class Theatre(
    Clinic clinic, StoredLedger ledger, HealArguments heal, ScrubArguments scrub, OutputArguments output, PlanFile? approved, CliContext context)
{
    /// <summary>Storage, then heap, then indexes, then rows: more rounds would only repeat what did not help.</summary>
    private const int MostRounds = 4;

    private readonly List<CaseReport> treated = [];
    private string? stopped;

    public async ValueTask<(IReadOnlyList<CaseReport> Cases, ScrubReport Last)> Run(CancellationToken cancellationToken)
    {
        var server = clinic.Server.SystemIdentifier;
        stopped = await CircuitBreaker.State(ledger, server, cancellationToken);
        if (stopped is null)
            await FinishKilledRuns(cancellationToken);
        JustProven? proven = null;
        for (var round = 1; ; round++)
        {
            var report = await Scrubbing.Run(clinic, scrub with { Proven = proven }, output, context, cancellationToken);
            stopped = await CircuitBreaker.Watch(ledger, server, report, clinic.Breaker, context.Clock.GetUtcNow(), cancellationToken);
            var accepted = await Baseline.Of(ledger, server, report.Findings, context.Clock.GetUtcNow(), cancellationToken);
            var open = Diagnosis.Cases(report.Findings).Where(healing => IsMeant(healing) && !accepted.Covers(healing)).ToList();
            if (open.Count == 0 || round == MostRounds)
                return (await CloseWhatIsGone(report, cancellationToken), report);
            var healed = false;
            foreach (var healing in open)
                healed |= await Treat(healing, cancellationToken);
            // Of several, a later repair may have altered what an earlier one proved.
            proven = open is [var single] && treated[^1] is { Outcome: Outcome.Healed, Steps.Count: > 0 }
                ? new JustProven(single, clinic.Registry, context.Clock.GetUtcNow()) : null;
            if (!healed)
                return (await CloseWhatIsGone(report, cancellationToken), report);
        }
    }

    /// <summary>What was left to a person and is not seen any more was a consequence of what was healed meanwhile: it is looked at once more.</summary>
    private async ValueTask<IReadOnlyList<CaseReport>> CloseWhatIsGone(ScrubReport last, CancellationToken cancellationToken)
    {
        var left = last.Findings.Select(finding => finding.Id).ToHashSet();
        for (var at = 0; at < treated.Count; at++)
            if (treated[at] is { Outcome: Outcome.Escalated or Outcome.Waiting or Outcome.Postponed, Case: var healing }
                && treated.Any(done => done.Outcome is Outcome.Healed) && !healing.Findings.Any(finding => left.Contains(finding.Id)))
                treated[at] = await Healer().Heal(healing, cancellationToken);
        if (approved is null)
            treated.AddRange(await new Closing(clinic.Registry, clinic.Source, ledger, clinic.Source.Exists, context.Clock).Close(clinic.Server.SystemIdentifier, last,
                row => treated.All(done => done.Case.Id != row.Id) && (heal.Cases.Count == 0 || heal.Cases.Contains(row.Id)), cancellationToken));
        return treated;
    }

    private bool IsMeant(HealingCase healing) =>
        treated.All(done => done.Case.Id != healing.Id)
        && (heal.Cases.Count == 0 || heal.Cases.Contains(healing.Id))
        && (approved is null || approved.PlanHashes.ContainsKey(healing.Id));

    private async ValueTask<bool> Treat(HealingCase healing, CancellationToken cancellationToken)
    {
        if (!output.Quiet && !output.Json)
            await context.Error.WriteLineAsync($"case {healing.Id}: {healing.Cause}");
        if (approved is not null && await Mismatch(healing, approved, cancellationToken) is { } why)
        {
            treated.Add(new CaseReport(healing, new Outcome.Escalated(why)));
            return false;
        }
        var report = await Healer().Heal(healing, cancellationToken);
        stopped ??= await CircuitBreaker.Heed(ledger, clinic.Server.SystemIdentifier, report, context.Clock.GetUtcNow(), cancellationToken);
        treated.Add(report);
        return report.Outcome is Outcome.Healed;
    }

    private async ValueTask<string?> Mismatch(HealingCase healing, PlanFile file, CancellationToken cancellationToken)
    {
        var prospect = await new Planner(clinic.Registry, clinic.Source, heal.Repair).Propose(healing, cancellationToken);
        return prospect.Plan?.Hash == file.PlanHashes[healing.Id] ? null
            : $"the evidence of {file.Path} no longer holds: the plan would now be another one. Make it again with plan --out";
    }

    /// <summary>What a killed run began and did not end is cleaned up and looked at again before anything new.</summary>
    private async ValueTask FinishKilledRuns(CancellationToken cancellationToken)
    {
        foreach (var row in await ledger.Cases(clinic.Server.SystemIdentifier, cancellationToken))
        {
            if (row.State is "healed" or "transient" or "undone" or "accepted")
                continue;
            var history = new CaseHistory(await ledger.FactsOf(row.Id, cancellationToken));
            if (history.ReadCase(row.Id) is not { } healing || (heal.Cases.Count > 0 && !heal.Cases.Contains(row.Id)))
                continue;
            if (healing.Database is not null && !clinic.Source.Databases.Contains(healing.Database))
                continue;
            var atDoor = healing.Findings.Any(finding => finding.Check == ConnectCheck.Name);
            if (!history.Interrupted && !atDoor)
                continue;
            await context.Error.WriteLineAsync(history.Interrupted ? $"kintsugi: an earlier run of case {row.Id} was killed half way; finishing it first"
                : $"kintsugi: case {row.Id} told of a server that lets nobody in; looking again");
            treated.Add((atDoor || (history is { Unfinished: { } cut } && history.ReadPlan()?.Steps[cut.Step].Kind == LockedRoom.StepKind))
                && clinic.Server.DataDirectory is { } directory
                ? await new LockedTheatre(directory, clinic.Factory, clinic.Configuration, ledger, heal, scrub, output, context).Finish(healing, cancellationToken)
                : await Healer().Heal(healing, cancellationToken));
        }
    }

    private Healer Healer()
    {
        return new Healer(
            new Planner(clinic.Registry, clinic.Source, heal.Repair), clinic.Source, new Examiner(clinic.Registry, clinic.Source, scrub.Settings.Depth),
            clinic.Room(context.Clock), Shelf.Taker(clinic.Configuration, clinic.Factory, context), ledger,
            clinic.Policy with { Stopped = stopped }, context.Clock)
        {
            Ask = Consent,
            Progress = output.Quiet || output.Json ? null : new FactLine(context, output.Verbose),
        };
    }

    /// <summary>--yes, or a yes typed at the terminal after the plan was shown. Without either nothing is done.</summary>
    private Policy Consent(HealingCase healing, Plan plan)
    {
        var policy = clinic.PolicyFor(healing) with { Consent = heal.Yes, Allow = heal.Allow, Stopped = stopped };
        if (heal.Yes || !context.Interactive || output.Json)
            return policy;
        context.Error.WriteLine();
        PlanOutput.Plan(context with { Out = context.Error }, plan).AsTask().GetAwaiter().GetResult();
        context.Error.Write($"Do this to database {healing.Database}? [y/N] ");
        var yes = context.In.ReadLine()?.Trim() is "y" or "Y" or "yes";
        // A yes to a plan that was shown is consent to its grade, as far as losing rows: that needs a recorded approval.
        return policy with { Consent = yes, Allow = yes && plan.Grade == Grade.Reversible ? Grade.Reversible : heal.Allow };
    }
}
