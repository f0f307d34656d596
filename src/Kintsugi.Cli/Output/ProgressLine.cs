using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Output;

/// <summary>One line on stderr that is written over: what is examined, how much is done, how long it may take. Only on a terminal.</summary>
internal sealed class ProgressLine(CliContext context, bool quiet) : IProgress<ScrubProgress>, IDisposable
{
    private readonly Lock gate = new();
    private long lastShown;
    private bool shown;

    public void Report(ScrubProgress value)
    {
        if (quiet || !context.ErrorIsTerminal)
            return;
        lock (gate)
        {
            // Ten times a second is as much as an eye can use.
            if (shown && context.Clock.GetElapsedTime(lastShown) < TimeSpan.FromMilliseconds(100))
                return;
            lastShown = context.Clock.GetTimestamp();
            shown = true;
            var share = value.Total == 0 ? 0 : (double)value.Done / value.Total;
            var left = value.Done > 10 && share > 0.02 ? $", about {Text.Time(value.Elapsed * ((1 - share) / share))} left" : "";
            var line = $"{share,4:P0}  {value.Done}/{value.Total}  {value.Check}  {value.Target}{left}";
            context.Error.Write($"\r\u001b[K{(line.Length > 110 ? line[..110] : line)}");
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (shown)
                context.Error.Write("\r\u001b[K");
            shown = false;
        }
    }
}
