using System.Diagnostics;
using System.Globalization;

namespace Kintsugi.Server.Tests;

/// <summary>
/// What one process holds over time, every second. A single look says little, for a collector works in waves: each mark is the median of the five
/// minutes around it or, at the end, before it.
/// </summary>
internal sealed class MemoryLine
{
    private static readonly TimeSpan Span = TimeSpan.FromMinutes(5);

    private readonly List<(TimeSpan At, double Megabytes)> samples = [];

    /// <summary>The end against the tenth minute.</summary>
    public double Growth => AtTheEnd / AtTenMinutes;

    private double AtTenMinutes => Median(TimeSpan.FromMinutes(10) - (Span / 2));
    private double AtTheEnd => Median(samples[^1].At - Span);

    public async Task Follow(int process, long begun, Func<string, Task> eachMinute, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                samples.Add((Stopwatch.GetElapsedTime(begun), Soak.Megabytes(process)));
                if (samples.Count % 60 == 0)
                    await eachMinute(string.Create(CultureInfo.InvariantCulture,
                        $"{samples[^1].At.TotalMinutes:0.0} min: median of the last minute {Median(samples[^1].At - TimeSpan.FromMinutes(1)):0.0} MB"));
            }
        }
        catch (OperationCanceledException)
        {
            // The time is over.
        }
    }

    public override string ToString() => samples.Count < 2 ? "memory was not followed" : string.Create(CultureInfo.InvariantCulture,
        $"memory (median over five minutes) {AtTenMinutes:0.0} MB after ten minutes, {AtTheEnd:0.0} MB after {samples[^1].At.TotalMinutes:0} minutes: {Growth:0.00}");

    private double Median(TimeSpan from)
    {
        var chosen = samples.Where(sample => sample.At >= from && sample.At < from + Span).Select(sample => sample.Megabytes).Order().ToList();
        return chosen.Count == 0 ? double.NaN : chosen[chosen.Count / 2];
    }
}
