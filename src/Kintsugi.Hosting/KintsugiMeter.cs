using System.Diagnostics.Metrics;
using Kintsugi.State;

namespace Kintsugi.Hosting;

/// <summary>The instruments of the meter Kintsugi, by the names that dashboards are built on (CONTRACT: metrics).</summary>
public sealed class KintsugiMeter
{
    public const string Name = "Kintsugi";

    private static readonly string[] OpenStates = ["open", "confirmed", "waiting", "escalated"];

    private const string Self = "self", Other = "other";

    private readonly StoredLedger ledger;
    private readonly Counter<long> corruption;
    private readonly Counter<long> attempts;
    private readonly Histogram<double> health;
    private readonly Counter<long> units;
    private readonly Lock gate = new();
    private readonly Dictionary<(string Job, string Target), long> unexamined = [];
    private readonly Dictionary<string, long> orphans = [];
    private IReadOnlyList<Measurement<long>> open = [];
    private IReadOnlyList<Measurement<int>> up = [];
    private IReadOnlyList<Measurement<int>> nodes = [];

    public KintsugiMeter(
        IMeterFactory factory, StoredLedger ledger, ServiceBook book, AlertBook alerts, ConfigurationSource configuration, TimeProvider clock)
    {
        this.ledger = ledger;
        var meter = factory.Create(Name);
        corruption = meter.CreateCounter<long>("db.corruption.events", "{event}", "Cases of damage that were opened, by fault class.");
        attempts = meter.CreateCounter<long>("db.repair.attempts", "{attempt}", "Repairs that ended, by repair and outcome.");
        health = meter.CreateHistogram("db.health_check.duration", "s", "Duration of health checks.", advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300],
        });
        units = meter.CreateCounter<long>("kintsugi.units", "{unit}", "Large pieces of shared looks that this node has done, by who led the look.");
        // Absent before the first repair: no repair is neither success nor failure.
        meter.CreateObservableGauge("db.repair.success_rate", () => book.Repairs(clock.GetUtcNow().AddDays(-30)) is { Ended: > 0 and var ended, Healed: var healed }
            ? [new Measurement<double>((double)healed / ended)] : Array.Empty<Measurement<double>>(), "1", "Healed of the repairs that ended in 30 days.");
        meter.CreateObservableGauge("kintsugi.config.reload.success", () => configuration.LastReloadTook ? 1 : 0, null,
            "1 while the configuration file is the one that holds.");
        meter.CreateObservableGauge("kintsugi.repairs.paused", () => book.Standing(JobNames.Repairs, clock.GetUtcNow()) is null ? 0 : 1, null,
            "1 while a person has stopped all repairs.");
        meter.CreateObservableGauge("kintsugi.alerts.waiting", alerts.Waiting, null, "Messages that their receiver has not taken yet.");
        meter.CreateObservableGauge("kintsugi.cases.open", () => open, null, "Cases that are not closed, by fault class and state.");
        meter.CreateObservableGauge("kintsugi.target.up", () => up, null, "1 while the target can be examined.");
        meter.CreateObservableGauge("kintsugi.nodes", () => nodes, null, "Nodes that were heard of within a lease, by the sum over their configuration.");
        meter.CreateObservableGauge("kintsugi.memory", () => new[]
        {
            new Measurement<long>(Environment.WorkingSet, Tag("kind", "resident")),
            new Measurement<long>(GC.GetGCMemoryInfo(GCKind.FullBlocking).HeapSizeBytes, Tag("kind", "full_collection")),
            new Measurement<long>(GC.GetTotalMemory(forceFullCollection: false), Tag("kind", "managed")),
        }, "By", "What this service itself holds.");
        meter.CreateObservableGauge("kintsugi.rows.orphaned", () => Locked(orphans, pair => new Measurement<long>(pair.Value, Tag("target", pair.Key))), null,
            "Rows without a parent at the last look.");
        meter.CreateObservableGauge("kintsugi.unchecked", () => Locked(unexamined, pair =>
            new Measurement<long>(pair.Value, Tag("job", pair.Key.Job), Tag("target", pair.Key.Target))), null, "Objects that the last look could not examine.");
    }

    /// <summary>Counters exist from the first scrape, so that the first event is a rise.</summary>
    public void BeginAtZero()
    {
        foreach (var fault in Faults.All)
            corruption.Add(0, Tag("fault", fault.Id));
        foreach (var outcome in new[] { "healed", "escalated", "waiting", "transient" })
            attempts.Add(0, Tag("repair", "reindex"), Tag("outcome", outcome));
        foreach (var lead in new[] { Self, Other })
            units.Add(0, Tag("lead", lead));
    }

    /// <summary>This node has done a unit of a look that it leads itself.</summary>
    internal void DidOwn() => units.Add(1, Tag("lead", Self));

    /// <summary>This node has done a unit of another node's look.</summary>
    internal void Helped() => units.Add(1, Tag("lead", Other));

    internal void Opened(FaultClass fault) => corruption.Add(1, Tag("fault", fault.Id));

    internal void Ended(CaseReport report) => attempts.Add(1, Tag("repair", report.Plan?.Repair ?? "none"), Tag("outcome", report.Outcome.Word));

    internal void Checked(TimeSpan took) => health.Record(took.TotalSeconds);

    internal void Looked(string job, string target, ScrubReport report)
    {
        lock (gate)
        {
            unexamined[(job, target)] = report.Count<Verdict.Unchecked>();
            if (job == JobNames.OrphanCleanup)
                orphans[target] = report.Findings.Where(finding => finding.Fault == Faults.RowOrphaned).Sum(finding => finding.Rows ?? 1);
        }
    }

    /// <summary>Counts the open cases anew; a scrape must not wait for the ledger.</summary>
    internal async ValueTask Count(IReadOnlyList<TargetStatus> targets, IReadOnlyList<WorkingNode> working, CancellationToken cancellationToken)
    {
        nodes = [.. working.GroupBy(node => node.Configuration).Select(same => new Measurement<int>(same.Count(), Tag("configuration", same.Key)))];
        var rows = new List<CaseRow>();
        foreach (var target in targets.Where(target => target.SystemIdentifier is not null))
            rows.AddRange(await ledger.Cases(target.SystemIdentifier, cancellationToken));
        open = [.. Faults.All.Where(fault => !fault.Advice).SelectMany(_ => OpenStates, (fault, state) => new Measurement<long>(
            rows.LongCount(row => row.Fault == fault.Id && row.State == state), Tag("fault", fault.Id), Tag("state", state)))];
        up = [.. targets.Where(target => target.Reachable is not null)
            .Select(target => new Measurement<int>(target.Reachable == true ? 1 : 0, Tag("target", target.Name)))];
    }

    private Measurement<long>[] Locked<TKey>(Dictionary<TKey, long> values, Func<KeyValuePair<TKey, long>, Measurement<long>> measure)
        where TKey : notnull
    {
        lock (gate)
            return [.. values.Select(measure)];
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
