namespace Kintsugi;

/// <summary>Decides whether a plan may run now: a pure function of case, plan, policy, a person's word and the clock.</summary>
public static class Judge
{
    public static Judgement Rule(HealingCase healing, Plan plan, Policy policy, PersonsWord word, int attempts, DateTimeOffset now)
    {
        if (policy.Stopped is { } stopped)
            return new Judgement.Forbid(stopped);
        if (word.Rejected)
            return new Judgement.Forbid("a person rejected this case; kintsugi cases retry takes that back");
        if (!policy.Heal)
            return new Judgement.Wait("mode is observe: nothing is repaired");
        if (!policy.Consent)
            return new Judgement.Wait("consent is missing: answer at the prompt, or run with --yes");
        if (attempts >= policy.MaxAttempts)
            return new Judgement.Forbid($"{attempts} attempts failed; kintsugi cases retry allows more");
        if (healing.Findings.FirstOrDefault(finding => finding.Provisional is not null) is { Provisional: { } why })
            return new Judgement.Forbid($"the evidence is provisional: {why}; what lies below it comes first");
        var choice = policy.ByFault.GetValueOrDefault(healing.Fault.Id, DefaultFor(healing.Fault));
        if (choice == PolicyChoice.Never && word.ApprovedPlan != plan.Hash)
            return new Judgement.Forbid($"policy: {healing.Fault.Id}: never");
        return Consented(healing, plan, policy, word, choice) ?? Timed(plan, policy, now);
    }

    /// <summary>Switching constraints on is the owner's to decide: such constraints may be off on purpose.</summary>
    private static PolicyChoice DefaultFor(FaultClass fault) =>
        fault == Faults.ConstraintUnenforced ? PolicyChoice.Never : PolicyChoice.Auto;

    private static Judgement.Wait? Consented(HealingCase healing, Plan plan, Policy policy, PersonsWord word, PolicyChoice choice)
    {
        var approved = word.ApprovedPlan == plan.Hash;
        var approve = $"kintsugi cases approve {healing.Id}, then kintsugi heal --case {healing.Id}, with the same options";
        if (plan.Grade == Grade.Lossy && !(approved && policy.Allow == Grade.Lossy))
            return new Judgement.Wait($"the plan is lossy ({plan.RowsLost} rows at stake): {approve} --allow lossy");
        if (approved)
            return null;
        if (plan.NeedsApproval is { } reason)
            return new Judgement.Wait($"{reason}: {approve}");
        if (choice == PolicyChoice.Approve)
            return new Judgement.Wait($"policy: {healing.Fault.Id}: approve: {approve}");
        if (plan.Grade == Grade.Reversible && policy.Allow < Grade.Reversible && !plan.ChosenByOwner)
            return new Judgement.Wait($"the plan changes rows (the old ones are kept in quarantine): --allow reversible, or {approve}");
        if (policy.RowsHeld is { } held && plan.Grade != Grade.Lossless)
            return new Judgement.Wait(held);
        var rows = plan.RowsQuarantined + plan.RowsChanged;
        var budget = policy.Budget.RowsFor(plan.TableRows);
        return rows > budget
            ? new Judgement.Wait($"{rows} rows are more than the repair budget of {budget} for this table: {approve}")
            : null;
    }

    private static Judgement Timed(Plan plan, Policy policy, DateTimeOffset now) =>
        plan.NeedsWindow && policy.Windows.Count > 0 && !policy.Windows.Any(window => window.IsOpen(now))
            ? new Judgement.Wait("it holds a heavy lock and no maintenance window is open")
            : new Judgement.Proceed();
}
