using Kintsugi.State;
using Quartz;

namespace Kintsugi.Hosting;

/// <summary>The case row is the truth: the next due case of each target gets its db.repair, whatever was lost on the way. One at a time on a target.</summary>
internal sealed class Reconciler(
    TargetBoard targets, Triage triage, Leadership leadership, ServiceBook book, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim gate = new(1);

    /// <param name="ending">The job that asks, when it is at its end: it holds nothing any more.</param>
    public async ValueTask Reconcile(IScheduler scheduler, JobKey? ending, CancellationToken cancellationToken)
    {
        if (book.Standing(JobNames.Repairs, clock.GetUtcNow()) is not null)
            return;
        if (!leadership.Leads)
        {
            // One node hands out repairs, so that no two of them fill one target's place.
            leadership.Tell("reconcile");
            return;
        }
        await gate.WaitAsync(cancellationToken);
        try
        {
            foreach (var target in targets.All.Where(target => target is { Reachable: true, SystemIdentifier: not null }))
                if (!await IsBusy(scheduler, target.Name, ending, cancellationToken))
                    foreach (var due in (await triage.Due(target.SystemIdentifier!, target.Databases, cancellationToken)).Take(1))
                        await Enqueue(scheduler, target.Name, due, cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <exception cref="ArgumentException">It is in the queue already.</exception>
    public async ValueTask Enqueue(IScheduler scheduler, string target, string caseId, CancellationToken cancellationToken)
    {
        var key = JobNames.OfCase(target, caseId);
        if (await scheduler.Exists(key, cancellationToken))
            return;
        triage.Begin(caseId);
        var job = JobBuilder.Create<ServiceJob>().WithIdentity(key).RequestRecovery(true).DisallowConcurrentExecution(true)
            .UsingJobData("job", JobNames.Repair).UsingJobData("target", target).UsingJobData("argument", caseId).Build();
        await scheduler.ScheduleJob(job, TriggerBuilder.Create().WithIdentity(key.Name, target).StartNow().Build(),
            new ScheduleJobOptions { Replace = true }, cancellationToken);
    }

    public void Dispose() => gate.Dispose();

    private static async ValueTask<bool> IsBusy(IScheduler scheduler, string target, JobKey? ending, CancellationToken cancellationToken) =>
        (await scheduler.GetJobKeys(GroupMatcher<JobKey>.GroupEquals(target), cancellationToken)).Any(key => JobNames.IsCase(key) && !key.Equals(ending));
}
