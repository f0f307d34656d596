using Kintsugi.Configuration;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Snapshots;
using Kintsugi.State;
using Microsoft.Extensions.Logging;

namespace Kintsugi.Hosting;

/// <summary>db.repair: one case through the healer, as the policy of its place allows; done twice it does nothing the second time.</summary>
internal sealed class Repairing(
    TargetBoard board, ConfigurationSource configuration, SqliteLedger ledger, StateDirectory state, ServiceBook book, KintsugiMeter meter, AlertDesk alerts,
    TimeProvider clock, ILogger<Repairing> log)
{
    /// <returns>The outcome's word and reason, and how many rows were touched.</returns>
    public async ValueTask<(string Outcome, string? Why, long Rows)> Treat(string target, string caseId, CancellationToken cancellationToken)
    {
        await using var ward = await board.Enter(target, cancellationToken);
        var row = (await ledger.Cases(ward.Server, cancellationToken)).FirstOrDefault(row => row.Id == caseId);
        if (row is null || row.State is "healed" or "transient" or "undone" or "accepted" or "rejected")
            return ("skipped", row is null ? "there is no such case on this server" : $"it is {row.State}", 0);
        if (await CaseFiling.Read(ledger, row, cancellationToken) is not { } healing)
            return ("skipped", "what was recorded of it is of a newer version", 0);
        if (await Unseasoned(healing, ward, cancellationToken) is { } early)
            return ("waiting", early, 0);
        if (Spent() is { } spent)
            return ("waiting", spent, 0);
        var policy = PolicyFor(healing, ward);
        var shelf = new SnapshotStore(configuration.Current.Snapshots.Directory ?? state.Snapshots, new SnapshotStoreSettings(), clock);
        var healer = new Healer(
            new Planner(ward.Registry, ward.Source), ward.Source, new Examiner(ward.Registry, ward.Source, Depth.Standard),
            new OperatingRoom(ward.Factory, ward.Source.Server, clock), new SnapshotTaker(shelf, ward.Factory), ledger, policy, clock);
        var report = await healer.Heal(healing, cancellationToken);
        await Tell(target, ward, report, cancellationToken);
        return (report.Outcome.Word, report.Outcome.Why, report.RowsChanged + report.RowsQuarantined);
    }

    private string? Spent()
    {
        var limit = configuration.Current.Budget.CasesPerHour;
        return book.Repairs(clock.GetUtcNow().AddHours(-1)).Ended >= limit ? $"budget: {limit} cases an hour were treated" : null;
    }

    /// <summary>What the owner allows at that place, less what was changed within a day.</summary>
    private Policy PolicyFor(HealingCase healing, Ward ward)
    {
        var policy = configuration.Current.ServicePolicyFor(
            ward.Target, healing.Fault, healing.Database, healing.Target.Schema, healing.Target.Relation);
        var left = Math.Max(0, configuration.Current.Budget.RowsPerDay - book.RowsTouched(clock.GetUtcNow().AddDays(-1)));
        return policy with { Budget = policy.Budget with { RowsPerCase = Math.Min(left, policy.Budget.RowsPerCase) } };
    }

    /// <summary>Row violations are repaired only when two scrubs that lie apart saw them, and none that was there at first (RULES.md 2, 3).</summary>
    private async ValueTask<string?> Unseasoned(HealingCase healing, Ward ward, CancellationToken cancellationToken)
    {
        if (healing.Fault.Layer < Layer.Uniqueness)
            return null;
        var facts = await ledger.FactsOf(healing.Id, cancellationToken);
        if (new CaseHistory(facts).Word.ApprovedPlan is not null)
            return null;
        var known = await ledger.Sightings(ward.Server, cancellationToken);
        var apart = ward.Target.Policy.ConfirmAfter;
        if (!healing.Findings.All(finding => known.TryGetValue(finding.Id, out var seen) && seen.LastSeen - seen.FirstSeen >= apart))
            return $"rows are repaired when two scrubs at least {apart.TotalHours:0.#} h apart saw the violation";
        if (ward.Target.Policy.RepairExisting || facts.Any(fact => fact.Kind == Facts.Acknowledged))
            return null;
        return await FirstSight.Of(ledger, ward.Server, cancellationToken) is { } first && healing.Findings.All(f => known[f.Id].FirstSeen > first)
            ? null
            : $"it was there before the service first looked: kintsugi cases acknowledge {healing.Id}, or repair_existing: true";
    }

    private async ValueTask Tell(string target, Ward ward, CaseReport report, CancellationToken cancellationToken)
    {
        meter.Ended(report);
        var (healing, key) = (report.Case, $"case:{report.Case.Id}");
        Log.Ended(log, healing.Id, target, report.Outcome.Word, report.Outcome.Why);
        if (report.Outcome is Outcome.Healed or Outcome.Transient)
        {
            alerts.Resolve(key, Severity.Critical, target, $"{healing.Cause}: {report.Outcome.Word}");
            alerts.Resolve($"{key}:escalated", Severity.Critical, target, $"{healing.Cause}: {report.Outcome.Word}");
        }
        if (report.Outcome is Outcome.Escalated && configuration.Current.AutoHealing.AlertOnFailure)
            alerts.Raise($"{key}:escalated", Severity.Critical, target, $"{healing.Cause}: a person must decide: {report.Outcome.Why}", healing.Id);
        if (report.Outcome is not Outcome.Healed || healing.Database is not { } database)
            return;
        try
        {
            await PatientAudit.Write(ward.Factory, database, report, cancellationToken);
        }
        catch (Exception problem) when (problem is PatientException or HealingException)
        {
            Log.NotAudited(log, healing.Id, problem.Message);
        }
    }
}
