using System.Data.Common;
using Kintsugi.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Kintsugi.Hosting;

/// <summary>
/// Keeps Quartz's triggers as the configuration says, changing only those that differ (every overwrite is an extra firing), follows the file
/// of the configuration, and looks every ten seconds for cases that no job holds.
/// </summary>
internal sealed class Schedule(
    ISchedulerFactory schedulers, ConfigurationSource configuration, Reconciler reconciler, ServiceBook book, KintsugiMeter meter, TimeProvider clock,
    ILogger<Schedule> log)
    : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        book.EndLost(clock.GetUtcNow());
        meter.BeginAtZero();
        var scheduler = await schedulers.GetScheduler(stoppingToken);
        await Follow(scheduler, stoppingToken);
        var written = Written();
        using var timer = new PeriodicTimer(Beat, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Follow(scheduler, stoppingToken);
                await reconciler.Reconcile(scheduler, stoppingToken);
            }
            catch (Exception problem) when (problem is StateException or DbException or SchedulerException)
            {
                // A full disk under our own files passes: the next beat tries again.
                Log.BeatMissed(log, problem);
            }
            if (Written() is var now && now != written)
            {
                written = now;
                configuration.Reload();
            }
        }
    }

    private DateTime Written() => configuration.File is { } file ? File.GetLastWriteTimeUtc(file) : default;

    private async ValueTask Follow(IScheduler scheduler, CancellationToken cancellationToken)
    {
        foreach (var target in configuration.Current.Targets)
            foreach (var (job, interval) in JobNames.Periodic(configuration.Current))
            {
                var key = new TriggerKey(job, target.Name);
                if (await scheduler.GetTrigger(key, cancellationToken) is ISimpleTrigger there && there.RepeatInterval == interval)
                    continue;
                var detail = JobBuilder.Create<ServiceJob>().WithIdentity(job, target.Name).StoreDurably(true).DisallowConcurrentExecution(true)
                    .UsingJobData("job", job).UsingJobData("target", target.Name).UsingJobData("argument", "").Build();
                // The health check looks at once; the heavy ones begin one after the other, not all at the start.
                var first = clock.GetUtcNow() + (job == JobNames.HealthCheck ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(300, interval.TotalSeconds)));
                var trigger = TriggerBuilder.Create().WithIdentity(key).ForJob(detail).StartAt(first)
                    .WithSimpleSchedule(simple => simple.WithInterval(interval).RepeatForever()
                        .WithMisfireInstruction(SimpleTriggerMisfireInstruction.NextWithRemainingCount))
                    .WithMisfireThreshold(TimeSpan.FromSeconds(1)).WithOverlapPolicy(OverlapPolicy.Skip).Build();
                await scheduler.ScheduleJob(detail, trigger, new ScheduleJobOptions { Replace = true }, cancellationToken);
            }
    }
}
