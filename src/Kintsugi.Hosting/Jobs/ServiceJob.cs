using Kintsugi.State;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Kintsugi.Hosting;

/// <summary>What Quartz starts. The work reads the case or the server anew: a run that comes twice does nothing twice.</summary>
internal sealed class ServiceJob(
    Rounds rounds, Repairing repairing, Reconciler reconciler, ServiceBook book, KintsugiServiceOptions options, TimeProvider clock,
    ILogger<ServiceJob> log) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var data = context.MergedJobDataMap;
        var (job, target, argument) = (data.GetString("job")!, data.GetString("target")!, data.GetString("argument") ?? "");
        var manual = data.GetString("manual") == "true";
        var now = clock.GetUtcNow();
        if (!manual && (book.Standing($"job:{job}", now) is not null || (job == JobNames.Repair && book.Standing(JobNames.Repairs, now) is not null)))
            return;
        var run = book.Begin(job, target, argument, now);
        var (state, message, rows) = ("failed", (string?)null, 0L);
        try
        {
            (state, message, rows) = job == JobNames.Repair
                ? await repairing.Treat(target, argument, cancellationToken)
                : ("done", await rounds.Look(job, target, argument, cancellationToken), 0);
            Log.JobEnded(log, job, target, $"{state} {message}");
        }
        catch (PatientException problem)
        {
            message = problem.Message;
        }
        catch (OperationCanceledException)
        {
            (state, message) = ("cancelled", "stopped by a person or by the end of the service; the next run goes on");
        }
        catch (Exception problem)
        {
            // Quartz would only log it: the end of a run is data, and other jobs go on.
            message = problem.Message;
            Log.JobFailed(log, problem, job, target);
        }
        finally
        {
            book.End(run, state, message, rows, clock.GetUtcNow(), options.HistoryKept);
        }
        if (job != JobNames.Repair)
            await reconciler.Reconcile(context.Scheduler, cancellationToken);
    }
}
