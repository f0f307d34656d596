using Microsoft.Extensions.Hosting;
using Quartz;

namespace Kintsugi.Hosting;

/// <summary>
/// The end of the service: looks are given up at once, a repair may end its step. What takes longer than the grace is cancelled: the healer
/// removes what its step left, and the ledger tells the next start where to go on.
/// </summary>
internal sealed class Closing(KintsugiScheduler kept, KintsugiServiceOptions options, TimeProvider clock) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        var scheduler = await kept.Get(cancellationToken);
        await scheduler.Standby(cancellationToken);
        var begun = clock.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200), clock);
        do
        {
            var mine = new FireInstanceQuery { SchedulerInstanceId = scheduler.SchedulerInstanceId };
            var running = (await scheduler.QueryFireInstances(mine, cancellationToken)).Items;
            if (running.Count == 0)
                return;
            foreach (var instance in running)
                if (instance.JobKey is not { } job || !JobNames.IsCase(job) || clock.GetElapsedTime(begun) > options.Grace)
                    await scheduler.InterruptFireInstance(instance.FireInstanceId, cancellationToken);
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }
}
