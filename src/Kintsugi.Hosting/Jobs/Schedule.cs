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
    KintsugiScheduler kept, ConfigurationSource configuration, Timetable timetable, Reconciler reconciler, CaseAlerts alerts, AlertDesk desk,
    TargetBoard targets, Triage triage, Leadership leadership, IJobBoard board, ServiceBook book, KintsugiMeter meter, TimeProvider clock, ILogger<Schedule> log)
    : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(2);

    /// <summary>Every so many beats everything is gone through.</summary>
    private const int Round = 5;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var scheduler = await kept.Get(stoppingToken);
        using var timer = new PeriodicTimer(Beat, clock);
        for (var beat = 0; beat == 0 || await timer.WaitForNextTickAsync(stoppingToken); beat++)
        {
            try
            {
                if (beat == 0)
                    meter.BeginAtZero();
                await Once(scheduler, beat, stoppingToken);
            }
            catch (Exception problem) when (problem is StateException or DbException or SchedulerException)
            {
                // A full disk under our own files passes: the next beat tries again.
                Log.BeatMissed(log, problem);
            }
        }
    }

    private async ValueTask Once(IScheduler scheduler, long beat, CancellationToken cancellationToken)
    {
        var isDue = leadership.Beat() | configuration.ReloadIfChanged() || beat % Round == 0;
        foreach (var run in book.Cancelled())
            await scheduler.Interrupt(run.Job == JobNames.Repair ? JobNames.OfCase(run.Target, run.Argument) : new JobKey(run.Job, run.Target), cancellationToken);
        if (isDue)
            await GoRound(scheduler, cancellationToken);
        if (!leadership.Leads)
            return;
        var asked = book.Asked();
        foreach (var request in asked)
            await Do(request, cancellationToken);
        if (asked.Count > 0)
            await reconciler.Reconcile(scheduler, null, cancellationToken);
    }

    private async ValueTask GoRound(IScheduler scheduler, CancellationToken cancellationToken)
    {
        await targets.Learn(cancellationToken);
        if (leadership.Leads)
            await Lead(scheduler, cancellationToken);
        await meter.Count(targets.All, leadership.Nodes, cancellationToken);
    }

    private async ValueTask Lead(IScheduler scheduler, CancellationToken cancellationToken)
    {
        TellWhenNodesDiffer();
        await timetable.Follow(scheduler, cancellationToken);
        foreach (var target in targets.All.Where(target => target.SystemIdentifier is not null))
            await alerts.Follow(target.Name, target.SystemIdentifier!, cancellationToken);
        await reconciler.Reconcile(scheduler, null, cancellationToken);
    }

    private void TellWhenNodesDiffer()
    {
        var nodes = leadership.Nodes;
        if (nodes.Select(node => node.Configuration).Distinct().Count() > 1)
            desk.Raise("nodes", Severity.Warning, "service", "nodes work with different configurations, and whoever is given a job does it by its own: "
                + string.Join(", ", nodes.Select(node => $"{node.Name} ({node.Configuration})")), null);
        else
            desk.Resolve("nodes", "service", "all nodes work with one configuration");
    }

    private async ValueTask Do(JobRequest request, CancellationToken cancellationToken)
    {
        try
        {
            if (request.Verb == "nudge")
                triage.Nudge(request.Argument!);
            if (request.Verb is not ("run" or "cancel"))
                return;
            Log.Asked(log, request.Verb, request.Job, request.Target ?? "every target", request.By);
            if (request.Verb == "run")
                await board.Run(request.Job, request.Target, request.Argument, cancellationToken);
            else if (request.Verb == "cancel")
                await board.Cancel(request.Job, request.Target, request.Argument, request.By, cancellationToken);
        }
        catch (Exception problem) when (problem is ArgumentException or NotNowException)
        {
            Log.Refused(log, request.Verb, request.Job, problem.Message);
        }
    }
}
