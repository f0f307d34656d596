using System.Collections.Concurrent;
using Kintsugi.State;
using Quartz;

namespace Kintsugi.Hosting;

/// <summary>The case row is the truth: every open case that may go on gets its db.repair, whatever was lost on the way.</summary>
internal sealed class Reconciler(IKintsugiTargets targets, SqliteLedger ledger, ServiceBook book, TimeProvider clock)
{
    /// <summary>A run that ended without an ending in the ledger is not begun again at once.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, DateTimeOffset> begun = new();

    public async ValueTask Reconcile(IScheduler scheduler, CancellationToken cancellationToken)
    {
        if (book.Standing(JobNames.Repairs, clock.GetUtcNow()) is not null)
            return;
        foreach (var (old, _) in begun.Where(pair => clock.GetUtcNow() - pair.Value > Between))
            begun.TryRemove(old, out _);
        foreach (var target in targets.All.Where(target => target is { Reachable: true, SystemIdentifier: not null }))
            foreach (var row in await ledger.Cases(target.SystemIdentifier, cancellationToken))
                if (await IsDue(row, cancellationToken) && begun.TryAdd(row.Id, clock.GetUtcNow()))
                    await Enqueue(scheduler, target.Name, row.Id, cancellationToken);
    }

    /// <summary>Open, interrupted, or waiting for so long that it is worth another look.</summary>
    private async ValueTask<bool> IsDue(CaseRow row, CancellationToken cancellationToken)
    {
        if (row.State is "open" or "confirmed")
            return true;
        var still = clock.GetUtcNow() - row.LastChanged;
        if (row.State is "waiting")
        {
            var approved = new CaseHistory(await ledger.FactsOf(row.Id, cancellationToken)).Word.ApprovedPlan is not null;
            var patience = (row.LastChanged - row.FirstSeen) / 4;
            return still >= (approved ? TimeSpan.FromSeconds(10)
                : patience < TimeSpan.FromMinutes(10) ? TimeSpan.FromMinutes(10)
                : patience > TimeSpan.FromHours(6) ? TimeSpan.FromHours(6) : patience);
        }
        return row.State is "escalated" && new CaseHistory(await ledger.FactsOf(row.Id, cancellationToken)).Interrupted
            && still >= TimeSpan.FromMinutes(10);
    }

    public static async ValueTask Enqueue(IScheduler scheduler, string target, string caseId, CancellationToken cancellationToken)
    {
        var key = new JobKey($"case-{caseId}", target);
        if (await scheduler.Exists(key, cancellationToken))
            return;
        var job = JobBuilder.Create<ServiceJob>().WithIdentity(key).RequestRecovery(true).DisallowConcurrentExecution(true)
            .UsingJobData("job", JobNames.Repair).UsingJobData("target", target).UsingJobData("argument", caseId).Build();
        await scheduler.ScheduleJob(job, TriggerBuilder.Create().WithIdentity($"case-{caseId}", target).StartNow().Build(),
            new ScheduleJobOptions { Replace = true }, cancellationToken);
    }
}
