using System.Data.Common;
using Kintsugi.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Kintsugi.Hosting;

/// <summary>
/// The beat of the service: it keeps the timetable, follows the file of the configuration, does what the command line asked for, and looks for
/// cases that no job holds.
/// </summary>
internal sealed class Schedule(
    ISchedulerFactory schedulers, ConfigurationSource configuration, Timetable timetable, Reconciler reconciler, CaseAlerts alerts, TargetBoard targets,
    IJobBoard board, ServiceBook book, KintsugiMeter meter, TimeProvider clock, ILogger<Schedule> log)
    : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(2);

    /// <summary>Every so many beats everything is gone through.</summary>
    private const int Round = 5;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var scheduler = await schedulers.GetScheduler(stoppingToken);
        using var timer = new PeriodicTimer(Beat, clock);
        for (var beat = 0; beat == 0 || await timer.WaitForNextTickAsync(stoppingToken); beat++)
        {
            try
            {
                if (beat == 0)
                {
                    book.EndLost(clock.GetUtcNow());
                    meter.BeginAtZero();
                }
                if (configuration.ReloadIfChanged() || beat % Round == 0)
                    await GoRound(scheduler, stoppingToken);
                foreach (var request in book.Asked())
                    await Do(request, stoppingToken);
            }
            catch (Exception problem) when (problem is StateException or DbException or SchedulerException)
            {
                // A full disk under our own files passes: the next beat tries again.
                Log.BeatMissed(log, problem);
            }
        }
    }

    private async ValueTask GoRound(IScheduler scheduler, CancellationToken cancellationToken)
    {
        await timetable.Follow(scheduler, cancellationToken);
        foreach (var target in targets.All.Where(target => target.SystemIdentifier is not null))
            await alerts.Follow(target.Name, target.SystemIdentifier!, cancellationToken);
        await reconciler.Reconcile(scheduler, null, cancellationToken);
        await meter.Count(targets.All, cancellationToken);
    }

    private async ValueTask Do(JobRequest request, CancellationToken cancellationToken)
    {
        try
        {
            Log.Asked(log, request.Verb, request.Job, request.Target ?? "every target", request.By);
            if (request.Verb == "run")
                await board.Run(request.Job, request.Target, request.Argument, cancellationToken);
            else if (request.Verb == "cancel")
                await board.Cancel(request.Job, request.Target, request.Argument, cancellationToken);
        }
        catch (ArgumentException problem)
        {
            Log.Refused(log, request.Verb, request.Job, problem.Message);
        }
    }
}
