using System.Diagnostics;
using Kintsugi.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Kintsugi.Hosting;

/// <summary>What Quartz starts. The work reads the case or the server anew: a run that comes twice does nothing twice.</summary>
internal sealed class ServiceJob(
    Rounds rounds, Repairing repairing, Reconciler reconciler, ServiceBook book, KintsugiMeter meter, KintsugiTraces traces, AlertDesk alerts, DeadMan deadMan, KintsugiServiceOptions options,
    IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<ServiceJob> log) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var data = context.MergedJobDataMap;
        var (job, target, argument) = (data.GetString("job")!, data.GetString("target")!, data.GetString("argument") ?? "");
        if (IsPaused(job, manual: data.GetString("manual") == "true"))
            return;
        using var span = traces.Job(job, target, argument);
        var begun = clock.GetTimestamp();
        var run = book.Begin(job, target, argument, clock.GetUtcNow());
        var (state, message, rows) = ("failed", (string?)null, 0L);
        IReadOnlyDictionary<string, long> units = new Dictionary<string, long>();
        try
        {
            if (job == JobNames.Repair)
                (state, message, rows) = await repairing.Treat(target, argument, cancellationToken);
            else
            {
                (message, units) = await rounds.Look(job, target, argument, cancellationToken);
                state = "done";
            }
            Log.JobEnded(log, job, target, $"{state} {message}");
            if (job == JobNames.HealthCheck)
                alerts.Resolve($"target:{target}", target, "it can be examined again");
        }
        catch (PatientException problem)
        {
            message = problem.Message;
            if (job == JobNames.HealthCheck)
                alerts.Raise($"target:{target}", Severity.Warning, target, $"it cannot be examined: {message}", null);
        }
        catch (TurnLostException lost)
        {
            (state, message) = ("lost", lost.Message);
            Log.JobEnded(log, job, target, $"{state}: {message}");
        }
        catch (OperationCanceledException)
        {
            (state, message) = lifetime.ApplicationStopping.IsCancellationRequested
                ? ("stopped", "the service was stopped; the next start goes on")
                : ("cancelled", "cancelled by a person");
        }
        catch (Exception problem)
        {
            // Quartz would only log it: the end of a run is data, and other jobs go on.
            message = problem.Message;
            Log.JobFailed(log, problem, job, target);
        }
        finally
        {
            if (job == JobNames.HealthCheck)
                meter.Checked(clock.GetElapsedTime(begun));
            span?.SetTag("kintsugi.outcome", state).SetStatus(state == "failed" ? ActivityStatusCode.Error : ActivityStatusCode.Ok);
            book.End(run, state, message, rows, units, clock.GetUtcNow(), options.HistoryKept);
        }
        if (lifetime.ApplicationStopping.IsCancellationRequested)
            return;
        if (state == "done")
            await deadMan.Ping(cancellationToken);
        await reconciler.Reconcile(context.Scheduler, context.JobDetail.Key, cancellationToken);
    }

    /// <summary>A person who runs a job that is paused means it; that all repairs are stopped holds for everybody.</summary>
    private bool IsPaused(string job, bool manual)
    {
        var now = clock.GetUtcNow();
        return (!manual && book.Standing(JobNames.SwitchOf(job), now) is not null)
            || (job == JobNames.Repair && book.Standing(JobNames.Repairs, now) is not null);
    }
}
