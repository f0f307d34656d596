using Kintsugi.State;
using Quartz;

namespace Kintsugi.Hosting;

internal sealed class JobBoard(ISchedulerFactory schedulers, ConfigurationSource configuration, ServiceBook book, TimeProvider clock) : IJobBoard
{
    public Switch? RepairPause => book.Standing(JobNames.Repairs, clock.GetUtcNow());

    public async ValueTask<IReadOnlyList<ScheduledJob>> List(CancellationToken cancellationToken)
    {
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        var jobs = new List<ScheduledJob>();
        foreach (var target in configuration.Current.Targets)
            foreach (var (job, interval) in JobNames.Periodic(configuration.Current))
            {
                var trigger = await scheduler.GetTrigger(new TriggerKey(job, target.Name), cancellationToken);
                jobs.Add(new ScheduledJob(job, target.Name, interval, trigger?.NextFireTimeUtc, trigger?.PreviousFireTimeUtc,
                    book.Standing($"job:{job}", clock.GetUtcNow())));
            }
        return jobs;
    }

    public IReadOnlyList<JobRun> History(int newest) => book.Runs(newest);

    public async ValueTask Run(string job, string? target, string? argument, CancellationToken cancellationToken)
    {
        Known(job);
        var names = configuration.Current.Targets.Select(known => known.Name).Where(name => target is null || name == target).ToList();
        if (names.Count == 0)
            throw new ArgumentException($"there is no target {target}", nameof(target));
        var scheduler = await schedulers.GetScheduler(cancellationToken);
        foreach (var name in names)
            await scheduler.TriggerJob(new JobKey(job, name), new JobDataMap { ["manual"] = "true", ["argument"] = argument ?? "" }, cancellationToken);
    }

    public ValueTask Pause(string job, string because, string by, CancellationToken cancellationToken)
    {
        Known(job);
        book.Set(new Switch($"job:{job}", null, because, by));
        return ValueTask.CompletedTask;
    }

    public ValueTask Resume(string job, CancellationToken cancellationToken)
    {
        Known(job);
        book.Clear($"job:{job}");
        return ValueTask.CompletedTask;
    }

    public async ValueTask<bool> Cancel(string job, string target, CancellationToken cancellationToken) =>
        await (await schedulers.GetScheduler(cancellationToken)).Interrupt(new JobKey(job, target), cancellationToken);

    public void PauseRepairs(DateTimeOffset? until, string because, string by) => book.Set(new Switch(JobNames.Repairs, until, because, by));

    public void ResumeRepairs() => book.Clear(JobNames.Repairs);

    private void Known(string job)
    {
        var known = JobNames.Periodic(configuration.Current).Select(pair => pair.Job).ToList();
        if (!known.Contains(job))
            throw new ArgumentException($"there is no job {job}; there are: {string.Join(", ", known)}", nameof(job));
    }
}
