using System.Diagnostics.Metrics;
using Kintsugi.State;

namespace Kintsugi.Hosting;

/// <summary>The instruments of the meter Kintsugi, by the names that dashboards are built on (CONTRACT: metrics).</summary>
public sealed class KintsugiMeter
{
    public const string Name = "Kintsugi";

    private readonly Counter<long> corruption;
    private readonly Counter<long> attempts;
    private readonly Histogram<double> health;

    public KintsugiMeter(IMeterFactory factory, ServiceBook book, ConfigurationSource configuration, TimeProvider clock)
    {
        var meter = factory.Create(Name);
        corruption = meter.CreateCounter<long>("db.corruption.events", "{event}", "Cases of damage that were opened, by fault class.");
        attempts = meter.CreateCounter<long>("db.repair.attempts", "{attempt}", "Repairs that ended, by repair and outcome.");
        health = meter.CreateHistogram("db.health_check.duration", "s", "Duration of health checks.", advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300],
        });
        // Absent before the first repair: no repair is neither success nor failure.
        meter.CreateObservableGauge("db.repair.success_rate", () => book.Repairs(clock.GetUtcNow().AddDays(-30)) is { Ended: > 0 and var ended, Healed: var healed }
            ? [new Measurement<double>((double)healed / ended)] : Array.Empty<Measurement<double>>(), "1", "Healed of the repairs that ended in 30 days.");
        meter.CreateObservableGauge("kintsugi.config.reload.success", () => configuration.LastReloadTook ? 1 : 0, null,
            "1 while the configuration file is the one that holds.");
        meter.CreateObservableGauge("kintsugi.repairs.paused", () => book.Standing(JobNames.Repairs, clock.GetUtcNow()) is null ? 0 : 1, null,
            "1 while a person has stopped all repairs.");
    }

    /// <summary>Counters exist from the first scrape, so that the first event is a rise.</summary>
    public void BeginAtZero()
    {
        foreach (var fault in Faults.All)
            corruption.Add(0, new KeyValuePair<string, object?>("fault", fault.Id));
        foreach (var outcome in new[] { "healed", "escalated", "waiting", "transient" })
            attempts.Add(0, new("repair", "reindex"), new("outcome", outcome));
    }

    internal void Opened(FaultClass fault) => corruption.Add(1, new KeyValuePair<string, object?>("fault", fault.Id));

    internal void Ended(CaseReport report) =>
        attempts.Add(1, new("repair", report.Plan?.Repair ?? "none"), new("outcome", report.Outcome.Word));

    internal void Checked(TimeSpan took) => health.Record(took.TotalSeconds);
}
