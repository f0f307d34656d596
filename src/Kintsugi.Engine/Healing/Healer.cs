namespace Kintsugi;

/// <summary>
/// One readable workflow: confirm, plan, record, judge, snapshot, apply step by step, verify. It alone lets anything be written to a patient,
/// and it writes down what it will do before it does it, so that a kill at any point leaves a case that the next run can finish or clean up.
/// </summary>
public sealed class Healer(
    Planner planner, IPatientSource source, Examiner examiner, IOperatingRoom room, ISnapshots snapshots, ILedger ledger, Policy policy,
    TimeProvider clock)
{
    /// <summary>Runs when a plan is ready, for the listing of a dry run and the question on a terminal.</summary>
    public Func<HealingCase, Plan, Policy>? Ask { get; init; }

    /// <summary>
    /// Runs when a repair was proven and before its case is closed: a kill in between brings it again, so it may come twice but never not at all.
    /// </summary>
    public Func<CaseReport, CancellationToken, ValueTask>? Proven { get; init; }

    /// <summary>Told of every fact as it is recorded, for progress.</summary>
    public IProgress<Fact>? Progress { get; init; }

    public async ValueTask<CaseReport> Heal(HealingCase healing, CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        var chart = new Chart(ledger, clock, healing, Progress);
        await chart.Found(cancellationToken);
        var (outcome, plan, report) = await TreatOrPostpone(healing, chart, cancellationToken);
        var ended = (report ?? new CaseReport(healing, outcome)) with
        {
            Case = healing,
            Outcome = outcome,
            Plan = plan,
            Snapshot = (outcome as Outcome.Healed)?.Snapshot ?? report?.Snapshot,
            Duration = clock.GetElapsedTime(begun),
        };
        if (outcome is Outcome.Healed && Proven is { } proven)
            await proven(ended, cancellationToken);
        if (outcome is not Outcome.Postponed)
            await chart.Ended(outcome, plan);
        return ended;
    }

    private async ValueTask<(Outcome, Plan?, CaseReport?)> TreatOrPostpone(HealingCase healing, Chart chart, CancellationToken cancellationToken)
    {
        try
        {
            return await Treat(healing, chart, cancellationToken);
        }
        catch (PatientException away) when (away.ServerAway)
        {
            return (new Outcome.Postponed($"the server is away ({away.Message}): the next run goes on with it"), null, null);
        }
    }

    private async ValueTask<(Outcome, Plan?, CaseReport?)> Treat(HealingCase healing, Chart chart, CancellationToken cancellationToken)
    {
        var history = new CaseHistory(await ledger.FactsOf(healing.Id, cancellationToken));
        if (history.Word.Accepted is { } until && until > clock.GetUtcNow())
            return (new Outcome.Escalated("accepted as it is by a person"), null, null);
        // To clean up is to write, too.
        if (policy.Stopped is { } stopped && history.Unfinished is not null)
            return (new Outcome.Escalated(stopped), null, null);
        var leftover = await CleanUp(history, chart, cancellationToken);
        if (leftover is not null)
            return (leftover, null, null);

        CaseReport? report = null;
        for (var attempts = history.Attempts; ; attempts++)
        {
            switch (await Confirm(healing, chart, cancellationToken))
            {
                case Verdict.Sound when report is not null && report.Plan is { } done:
                    return (new Outcome.Healed(done, report.Snapshot), done, report);
                // A killed run's step may have gone on in its backend, to its end.
                case Verdict.Sound when (history.StepsDone || history.Unfinished is not null) && history.ReadPlan() is { } before:
                    return (new Outcome.Healed(before, history.Snapshot), before, null);
                case Verdict.Sound:
                    return (new Outcome.Transient(), null, null);
                case Verdict.Unchecked it:
                    return (new Outcome.Escalated($"it could not be looked at again: {it.Reason}"), report?.Plan, report);
            }
            var prospect = await Choose(healing, chart, cancellationToken);
            // A repair that finds nothing to do may have been overtaken by another healer between two looks.
            if (prospect.Plan is not { } plan)
                return (await Confirm(healing, chart, cancellationToken) is Verdict.Sound
                    ? await Gone(healing, cancellationToken) : new Outcome.Escalated(prospect.WhyNot), null, report);
            var ruling = Ask?.Invoke(healing, plan) ?? policy;
            var judgement = Judge.Rule(healing, plan, ruling, history.Word, attempts, clock.GetUtcNow());
            if (judgement is Judgement.Proceed && history.Word.ApprovedPlan != plan.Hash
                && await Overspent(healing, plan, ruling.Limits, cancellationToken) is { } reason)
                judgement = new Judgement.Wait($"{reason}: it is taken up again later, or kintsugi cases approve {healing.Id}, then kintsugi heal --case {healing.Id}, with the same options");
            await chart.Judged(judgement, cancellationToken);
            if (judgement is Judgement.Wait wait)
                return (new Outcome.Waiting(plan, wait.Reason), plan, report);
            if (judgement is Judgement.Forbid forbid)
                return (new Outcome.Escalated(forbid.Reason), plan, report);

            var operation = await Operate(healing, plan, chart, attempts, cancellationToken);
            report = operation.Report;
            if (operation.Outcome is not null)
                return (operation.Outcome, plan, report);
        }
    }

    private async ValueTask<string?> Overspent(HealingCase healing, Plan plan, SpendingLimits? limits, CancellationToken cancellationToken)
    {
        if (limits is null)
            return null;
        var now = clock.GetUtcNow();
        var (server, id) = (healing.Target.Server, healing.Id);
        var spent = await Spending.Since(ledger, server, id, [now.AddHours(-1), now.AddDays(-1)], cancellationToken);
        return limits.Exceeded(spent[0], spent[1], plan);
    }

    /// <exception cref="PatientException">The server is away, which says nothing of the case: the case is postponed.</exception>
    private async ValueTask<Verdict> Confirm(HealingCase healing, Chart chart, CancellationToken cancellationToken)
    {
        Verdict verdict;
        try
        {
            verdict = await examiner.LookAgain(healing.Findings, cancellationToken);
        }
        catch (PatientException problem) when (!problem.ServerAway)
        {
            verdict = new Verdict.Unchecked(problem.Message);
        }
        await chart.Confirmed(verdict, cancellationToken);
        return verdict;
    }

    private async ValueTask<Prospect> Choose(HealingCase healing, Chart chart, CancellationToken cancellationToken)
    {
        var prospect = await planner.Propose(healing, cancellationToken);
        foreach (var (repair, refusal) in prospect.Refusals)
            await chart.Refused(repair, refusal, cancellationToken);
        if (prospect.Plan is { } plan)
            await chart.Planned(plan, cancellationToken);
        return prospect;
    }

    private async ValueTask<(Outcome? Outcome, CaseReport Report)> Operate(
        HealingCase healing, Plan plan, Chart chart, int attempts, CancellationToken cancellationToken)
    {
        var report = new CaseReport(healing, new Outcome.Escalated("begun")) { Plan = plan, Attempts = attempts + 1 };
        try
        {
            // A server that is stopped for it would end the locks and the session of the operation.
            var before = snapshots.EndsSessions && plan.Snapshot == SnapshotGrade.Cluster;
            if (before)
                report = report with { Snapshot = await Snapshot(healing, plan, chart, cancellationToken) };
            await using var operation = await room.Enter(healing.Database ?? "postgres", cancellationToken);
            if (await operation.Preflight(plan, cancellationToken) is { } blocker)
                return (new Outcome.Waiting(plan, blocker), report);
            if (!before)
                report = report with { Snapshot = await Snapshot(healing, plan, chart, cancellationToken) };
            var surgery = new Surgery(operation, chart, clock);
            report = await surgery.Perform(plan, report, cancellationToken);
            var verdict = await Confirm(healing, chart, cancellationToken);
            await chart.Verified(verdict);
            if (verdict is Verdict.Sound)
                return (new Outcome.Healed(plan, report.Snapshot), report);
            if (verdict is Verdict.Unchecked it)
                return (new Outcome.Escalated($"the repair ran, but could not be proven: {it.Reason}"), report);
            await chart.Failed("the check that accused still accuses");
            return (report.Attempts >= policy.MaxAttempts
                ? new Outcome.Escalated($"the check still accuses after {report.Attempts} attempts") : null, report);
        }
        catch (HealingException problem)
        {
            await chart.Failed(problem.Message, problem.WasKeptOut);
            if (problem is { MayPass: false, NotLetIn: false } && await Confirm(healing, chart, cancellationToken) is Verdict.Sound)
                return (await Gone(healing, cancellationToken), report);
            return problem is { MayPass: true, LeavesDebris: false, LacksRoom: false } && report.Attempts < policy.MaxAttempts
                ? (null, report)
                : (problem.MayPass ? new Outcome.Waiting(plan, problem.Message) : new Outcome.Escalated(problem.Message), report);
        }
        catch (PatientException lost)
        {
            // Outside of any step (before the snapshot, between two looks): nothing is half done.
            await chart.Failed(lost.Message);
            return lost.ConnectionLost && report.Attempts < policy.MaxAttempts
                ? (null, report)
                : (new Outcome.Waiting(plan, $"the patient was lost: {lost.Message}"), report);
        }
    }

    /// <summary>The check acquits although the last attempt did nothing: somebody dropped or mended it meanwhile, or an attempt before that one did.</summary>
    private async ValueTask<Outcome> Gone(HealingCase healing, CancellationToken cancellationToken)
    {
        var history = new CaseHistory(await ledger.FactsOf(healing.Id, cancellationToken));
        return history.StepsDone && history.ReadPlan() is { } done ? new Outcome.Healed(done, history.Snapshot) : new Outcome.Transient();
    }

    private async ValueTask<string?> Snapshot(HealingCase healing, Plan plan, Chart chart, CancellationToken cancellationToken)
    {
        if (!policy.SnapshotBeforeRepair && plan.Grade != Grade.Lossy)
        {
            await chart.NoSnapshot(cancellationToken);
            return null;
        }
        var patient = await source.Open(healing.Database, cancellationToken);
        await using var session = patient.Sql;
        var id = await snapshots.Take(healing, plan, patient, cancellationToken);
        if (id is not null)
            await chart.SnapshotTaken(id, cancellationToken);
        return id;
    }

    /// <summary>Debris of a run that was killed between intent and end: removed before anything new is begun.</summary>
    /// <returns>An outcome that ends this run, or null to go on.</returns>
    private async ValueTask<Outcome?> CleanUp(CaseHistory history, Chart chart, CancellationToken cancellationToken)
    {
        if (history.Unfinished is not { } unfinished || history.ReadPlan() is not { } plan)
            return null;
        var step = plan.Steps[unfinished.Step];
        try
        {
            await using var operation = await room.Enter(step.Database ?? "postgres", cancellationToken);
            await chart.Cleaned(await operation.CleanUp(step, unfinished.Remembered, cancellationToken));
            return null;
        }
        catch (HealingException problem)
        {
            return new Outcome.Waiting(plan, $"what a killed run left behind could not be removed yet: {problem.Message}");
        }
    }
}
