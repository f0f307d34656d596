using Kintsugi.Hosting;
using Sample = Kintsugi.Hosting.CounterHistory.Sample;

namespace Kintsugi.Server.Tests;

public sealed class CounterHistoryTests
{
    private static readonly DateTimeOffset Begin = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A quiet server: 1,000 commits and 10 rollbacks in ten minutes. Newest first.</summary>
    private static List<Sample> Past(int samples) => [.. Enumerable.Range(0, samples).Reverse().Select(At)];

    private static Sample At(int span) => new("app", Begin.AddMinutes(10 * span), 1000L * span, 10L * span, 0, 0, 0, 7, "2026-01-01");

    [Fact]
    public void An_ordinary_span_is_no_anomaly() => Assert.Empty(CounterHistory.Compare(At(20), Past(20)));

    [Fact]
    public void New_checksum_failures_count_at_once_and_old_ones_do_not()
    {
        var anomaly = Assert.Single(CounterHistory.Compare(At(1) with { Failures = 9 }, Past(1)));
        Assert.Equal((Severity.Critical, "app:checksum_failures"), (anomaly.Severity, anomaly.Key));
        Assert.Contains("2 new checksum failures", anomaly.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Deadlocks_rollbacks_and_temporary_files_are_held_against_the_past()
    {
        var bad = At(20) with { Deadlocks = 6, Rollbacks = 5000, TempBytes = 3L << 30 };
        Assert.Equal(["app:deadlocks", "app:temp_bytes", "app:xact_rollback"], CounterHistory.Compare(bad, Past(20)).Select(anomaly => anomaly.Key));
        Assert.Empty(CounterHistory.Compare(bad with { At = Begin.AddMinutes(50) }, Past(5)));
    }

    [Fact]
    public void What_is_usual_here_is_no_anomaly()
    {
        var noisy = Past(20).Select(sample => sample with { Deadlocks = sample.Commits / 100 }).ToList();
        Assert.Empty(CounterHistory.Compare(At(20) with { Deadlocks = 215 }, noisy));
    }

    [Fact]
    public void A_reset_or_a_clock_that_jumped_is_no_anomaly()
    {
        Assert.Empty(CounterHistory.Compare(At(20) with { Failures = 9, Reset = "2026-11-01" }, Past(20)));
        Assert.Empty(CounterHistory.Compare(At(20) with { Failures = 9, At = Begin }, Past(20)));
        Assert.Empty(CounterHistory.Compare(At(20) with { Failures = 9, Commits = 5 }, Past(20)));
    }

    [Fact]
    public void Samples_come_back_from_the_ledger_as_they_were() => Assert.Equal(At(3), Sample.Of(At(3).ToCounters()));
}
