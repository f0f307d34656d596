using System.Diagnostics;

namespace Kintsugi.Hosting;

/// <summary>Traces: a look with its checks, a repair with its steps and what was decided. One source for each Kintsugi of a process.</summary>
public sealed class KintsugiTraces : IDisposable
{
    public const string Name = "Kintsugi";

    private readonly ActivitySource source = new(Name);

    public void Dispose() => source.Dispose();

    internal Activity? Job(string job, string target, string argument) => source.StartActivity(job == JobNames.Repair ? "kintsugi.repair" : "kintsugi.look")
        ?.SetTag("kintsugi.job", job).SetTag("kintsugi.target", target).SetTag("kintsugi.case", job == JobNames.Repair ? argument : null);

    /// <summary>A span for each check of a scrub, in the order in which they begin.</summary>
    internal ScrubTrace Scrub() => new(source);

    /// <summary>A span for each step of a repair, and an event for each thing that was decided.</summary>
    internal RepairTrace Repair() => new(source, Activity.Current);
}

/// <summary>Of a scrub with one worker: a check ends where the next one begins.</summary>
internal sealed class ScrubTrace(ActivitySource source) : IProgress<ScrubProgress>, IDisposable
{
    private readonly Activity? look = Activity.Current;
    private Activity? check;

    public void Report(ScrubProgress value)
    {
        if (check?.GetTagItem("kintsugi.check") as string == value.Check)
            return;
        check?.Dispose();
        check = source.StartActivity("kintsugi.check", ActivityKind.Internal, look?.Context ?? default)?.SetTag("kintsugi.check", value.Check);
    }

    public void Dispose() => check?.Dispose();
}

/// <summary>Follows a case's facts as they are recorded.</summary>
internal sealed class RepairTrace(ActivitySource source, Activity? repair) : IProgress<Fact>, IDisposable
{
    private Activity? step;

    public void Report(Fact value)
    {
        switch (value.Kind)
        {
            case Facts.Intended:
                // Its number in the plan, which the ledger has whole: a statement may carry values that are nobody's business elsewhere.
                step = source.StartActivity("kintsugi.step", ActivityKind.Internal, repair?.Context ?? default)
                    ?.SetTag("kintsugi.step", Facts.Read(value.Data).GetValueOrDefault("step"));
                break;
            case Facts.Done:
                End(ActivityStatusCode.Ok);
                break;
            case Facts.Failed:
                End(ActivityStatusCode.Error);
                break;
        }
        repair?.AddEvent(new ActivityEvent(value.Kind));
    }

    public void Dispose() => step?.Dispose();

    private void End(ActivityStatusCode status)
    {
        step?.SetStatus(status);
        step?.Dispose();
        step = null;
    }
}
