using Kintsugi.State;
using Quartz;

namespace Kintsugi.Hosting;

/// <summary>Keeps Quartz's triggers as the configuration says, and makes up for looks that were missed, lost or failed.</summary>
internal sealed class Timetable(ConfigurationSource configuration, ServiceBook book, TimeProvider clock)
{
    /// <summary>A firing may be this late before it counts as missed.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(2);

    /// <summary>Quartz takes a firing that it is a second late with for missed, and the next is an interval away: a first one would be weeks late.</summary>
    private static readonly TimeSpan FirstSlack = TimeSpan.FromSeconds(5);

    private readonly DateTimeOffset began = clock.GetUtcNow();
    private readonly Dictionary<TriggerKey, DateTimeOffset> madeUp = [];

    /// <summary>Runs a job now because somebody asked, also before the first beat put it into the timetable: that waits for targets to answer.</summary>
    public static async ValueTask RunNow(IScheduler scheduler, string job, string target, string argument, CancellationToken cancellationToken)
    {
        var key = new JobKey(job, target);
        if (!await scheduler.Exists(key, cancellationToken))
            await scheduler.AddJob(Job(job, target), new AddJobOptions { Replace = true }, cancellationToken);
        await scheduler.TriggerJob(key, new JobDataMap { ["manual"] = "true", ["argument"] = argument }, cancellationToken);
    }

    public async ValueTask Follow(IScheduler scheduler, CancellationToken cancellationToken)
    {
        var planned = new List<PlannedJob>();
        foreach (var target in configuration.Current.Targets)
            foreach (var (job, interval) in JobNames.Periodic(configuration.Current))
            {
                var key = new TriggerKey(job, target.Name);
                // Only what differs is written: every overwrite is an extra firing. What fires later than the interval allows was set by a clock that ran ahead.
                if (await scheduler.GetTrigger(key, cancellationToken) is not ISimpleTrigger trigger || trigger.RepeatInterval != interval
                    || trigger.NextFireTimeUtc > clock.GetUtcNow() + interval + Slack)
                    trigger = await Write(scheduler, key, interval, cancellationToken);
                await MakeUp(scheduler, trigger, interval, cancellationToken);
                planned.Add(new PlannedJob(job, target.Name, interval, trigger.NextFireTimeUtc, trigger.PreviousFireTimeUtc));
            }
        await RemoveStrays(scheduler, cancellationToken);
        book.Plan(planned);
    }

    private async ValueTask<ISimpleTrigger> Write(IScheduler scheduler, TriggerKey key, TimeSpan interval, CancellationToken cancellationToken)
    {
        var detail = Job(key.Name, key.Group);
        // The health check looks at once; the heavy ones begin one after the other, not all at the start.
        var first = clock.GetUtcNow() + key.Name switch
        {
            JobNames.HealthCheck => TimeSpan.Zero,
            JobNames.OrphanCleanup => Least(interval, 60),
            JobNames.IndexCheck => Least(interval, 180),
            _ => Least(interval, 300),
        };
        var trigger = TriggerBuilder.Create().WithIdentity(key).ForJob(detail).StartAt(first)
            .WithSimpleSchedule(simple => simple.WithInterval(interval).RepeatForever()
                .WithMisfireInstruction(SimpleTriggerMisfireInstruction.NextWithRemainingCount))
            .WithMisfireThreshold(TimeSpan.FromSeconds(1)).WithOverlapPolicy(OverlapPolicy.Skip).Build();
        await scheduler.ScheduleJob(detail, trigger, new ScheduleJobOptions { Replace = true }, cancellationToken);
        return (ISimpleTrigger)(await scheduler.GetTrigger(key, cancellationToken) ?? trigger);
    }

    private static IJobDetail Job(string job, string target) => JobBuilder.Create<ServiceJob>().WithIdentity(job, target).StoreDurably(true)
        .DisallowConcurrentExecution(true).UsingJobData("job", job).UsingJobData("target", target).UsingJobData("argument", "").Build();

    private static TimeSpan Least(TimeSpan interval, int seconds) => TimeSpan.FromSeconds(Math.Min(seconds, interval.TotalSeconds));

    /// <summary>A week between two looks must not become two because the service was away, or the target was, when the hour struck.</summary>
    private async ValueTask MakeUp(IScheduler scheduler, ISimpleTrigger trigger, TimeSpan interval, CancellationToken cancellationToken)
    {
        var key = trigger.Key;
        var runs = book.Runs(key.Name, key.Group, 12);
        if ((runs.Count == 0 && trigger.PreviousFireTimeUtc is not null) || runs is [{ State: "running" }, ..] || book.Standing(JobNames.SwitchOf(key.Name), clock.GetUtcNow()) is not null)
            return;
        var now = clock.GetUtcNow();
        var failures = runs.TakeWhile(run => run.State == "failed").Count();
        var due = runs.Count == 0 ? trigger.StartTimeUtc + FirstSlack : runs[0].State switch
        {
            // Cut short by a kill or a stop, or left over from before this start.
            "lost" or "stopped" => now,
            "failed" => (runs[0].Ended ?? now) + Pause(interval, failures),
            _ when key.Name == JobNames.HealthCheck && runs[0].Started < began => now,
            // The clock was put back: what was begun later than now says nothing of the time since.
            _ when runs[0].Started > now + Slack => now,
            _ => runs[0].Started + interval + Slack,
        };
        if (now < due || (madeUp.TryGetValue(key, out var last) && now - last < Slack))
            return;
        madeUp[key] = now;
        await scheduler.TriggerJob(new JobKey(key.Name, key.Group), new JobDataMap(), cancellationToken);
    }

    private static TimeSpan Pause(TimeSpan interval, int failures)
    {
        var pause = TimeSpan.FromMinutes(1) * Math.Pow(2, Math.Min(failures, 12) - 1);
        return pause < interval ? pause : interval;
    }

    /// <summary>Jobs of targets that the owner took out.</summary>
    private async ValueTask RemoveStrays(IScheduler scheduler, CancellationToken cancellationToken)
    {
        var targets = configuration.Current.Targets.Select(target => target.Name).ToHashSet();
        foreach (var key in await scheduler.GetJobKeys(GroupMatcher<JobKey>.AnyGroup(), cancellationToken))
            // A host application may have jobs of its own in the same scheduler.
            if (!targets.Contains(key.Group) && (JobNames.IsCase(key) || JobNames.All.Contains(key.Name)))
                await scheduler.DeleteJob(key, cancellationToken);
    }
}
