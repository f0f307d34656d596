using Kintsugi.State;
using Quartz;

namespace Kintsugi.Hosting;

internal sealed class JobBoard(
    KintsugiScheduler kept, ConfigurationSource configuration, ServiceBook book, Reconciler reconciler, TargetBoard targets, StoredLedger ledger,
    Leadership leadership, TimeProvider clock) : IJobBoard
{
    public IReadOnlyList<WorkingNode> Nodes => leadership.Nodes;

    public Switch? RepairPause => book.Standing(JobNames.Repairs, clock.GetUtcNow());

    public async ValueTask<IReadOnlyList<ScheduledJob>> List(CancellationToken cancellationToken)
    {
        var scheduler = await kept.Get(cancellationToken);
        var jobs = new List<ScheduledJob>();
        foreach (var target in configuration.Current.Targets)
            foreach (var (job, interval) in JobNames.Periodic(configuration.Current))
            {
                var trigger = await scheduler.GetTrigger(new TriggerKey(job, target.Name), cancellationToken);
                jobs.Add(new ScheduledJob(job, target.Name, interval, trigger?.NextFireTimeUtc, trigger?.PreviousFireTimeUtc,
                    book.Standing(JobNames.SwitchOf(job), clock.GetUtcNow())));
            }
        return jobs;
    }

    public IReadOnlyList<JobRun> History(int newest) => book.Runs(newest);

    public async ValueTask Run(string job, string? target, string? argument, CancellationToken cancellationToken)
    {
        Known(job);
        var scheduler = await kept.Get(cancellationToken);
        if (job == JobNames.Repair)
        {
            if (RepairPause is { } pause)
                throw new NotNowException($"repairs are paused by {pause.By}: {pause.Because}; kintsugi resume lets them go on");
            await reconciler.Enqueue(scheduler, await TargetOf(argument, cancellationToken), argument!, cancellationToken);
            return;
        }
        foreach (var name in Targets(target))
            await Timetable.RunNow(scheduler, job, name, argument ?? "", cancellationToken);
    }

    public ValueTask Pause(string job, string because, string by, CancellationToken cancellationToken)
    {
        Known(job);
        book.Set(new Switch(JobNames.SwitchOf(job), null, because, by), clock.GetUtcNow());
        return ValueTask.CompletedTask;
    }

    public ValueTask Resume(string job, CancellationToken cancellationToken)
    {
        Known(job);
        book.Clear(JobNames.SwitchOf(job));
        return ValueTask.CompletedTask;
    }

    public async ValueTask<bool> Cancel(string job, string? target, string? argument, string by, CancellationToken cancellationToken)
    {
        Known(job);
        if (job == JobNames.Repair)
            target = await TargetOf(argument, cancellationToken);
        else
            Targets(target);
        // Only the node that runs it can end it: it sees this at its next beat.
        return book.Cancel(job, target, argument ?? "", by);
    }

    public void PauseRepairs(DateTimeOffset? until, string because, string by) =>
        book.Set(new Switch(JobNames.Repairs, until, because, by), clock.GetUtcNow());

    public void ResumeRepairs() => book.Clear(JobNames.Repairs);

    private static void Known(string job)
    {
        if (!JobNames.All.Contains(job))
            throw Looks.NoSuchJob(job);
    }

    private List<string> Targets(string? target) =>
        configuration.Current.Targets.Select(known => known.Name).Where(name => target is null || name == target).ToList() is { Count: > 0 } names
            ? names
            : throw new ArgumentException($"there is no target {target}", nameof(target));

    private async ValueTask<string> TargetOf(string? caseId, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(caseId))
            throw new ArgumentException($"{JobNames.Repair} needs a case", nameof(caseId));
        var row = (await ledger.Cases(null, cancellationToken)).FirstOrDefault(row => row.Id == caseId)
            ?? throw new ArgumentException($"there is no case {caseId}", nameof(caseId));
        return targets.All.FirstOrDefault(status => status.SystemIdentifier == row.Server
                && (row.Database is null || status.Databases.Contains(row.Database)))?.Name
            ?? throw new NotNowException($"the server of case {caseId} is no target that was reached");
    }
}
