using System.Text.Json;

namespace Kintsugi.Hosting;

/// <summary>
/// pg_stat_database against a server's own past: what is usual for one is an alarm for another. Counters are kept at the end of every look, so
/// that what our own reads have counted (checksum failures above all) is not held against the server at the next one.
/// </summary>
internal static class CounterHistory
{
    /// <summary>Fewer spans than these are no past to compare with.</summary>
    public const int Enough = 12;

    /// <summary>Some two weeks of spans of ten minutes.</summary>
    public const int Kept = 2000;

    private const string Sql = """
        SELECT s.datname::pg_catalog.text, s.xact_commit, s.xact_rollback, s.deadlocks, s.conflicts, s.temp_bytes, coalesce(s.checksum_failures, 0),
               coalesce(s.stats_reset::pg_catalog.text, '')
        FROM pg_catalog.pg_stat_database s WHERE s.datname IS NOT NULL
        """;

    /// <summary>What is out of the ordinary since the counters were last kept.</summary>
    public static async ValueTask<IReadOnlyList<Anomaly>> Compare(
        IPatientSource source, IMemory memory, TimeProvider clock, CancellationToken cancellationToken)
    {
        var anomalies = new List<Anomaly>();
        foreach (var now in await Read(source, clock, cancellationToken))
        {
            var kept = await memory.CountersOf(source.Server.SystemIdentifier, now.Database, Kept, cancellationToken);
            anomalies.AddRange(Compare(now, [.. kept.Select(Sample.Of)]));
        }
        return anomalies;
    }

    public static async ValueTask Keep(IPatientSource source, IMemory memory, TimeProvider clock, CancellationToken cancellationToken)
    {
        foreach (var now in await Read(source, clock, cancellationToken))
            await memory.RecordCounters(source.Server.SystemIdentifier, now.ToCounters(), cancellationToken);
    }

    /// <param name="past">Newest first.</param>
    internal static IEnumerable<Anomaly> Compare(Sample now, IReadOnlyList<Sample> past)
    {
        if (past.Count == 0 || Span.Between(past[0], now) is not { } last)
            yield break;
        if (last.Failures > 0)
            yield return new Anomaly($"{now.Database}:checksum_failures", Severity.Critical,
                $"{last.Failures} new checksum failures in {now.Database}: kintsugi check --only pages names the pages");
        var spans = past.Zip(past.Skip(1), (newer, older) => Span.Between(older, newer)).OfType<Span>().ToList();
        if (spans.Count < Enough)
            yield break;
        if (last.Deadlocks >= 5 && last.PerHour(last.Deadlocks) > 10 * Usual(spans, span => span.PerHour(span.Deadlocks)))
            yield return Say("deadlocks", $"{last.Deadlocks} deadlocks");
        if (last.Conflicts >= 50 && last.PerHour(last.Conflicts) > 10 * Usual(spans, span => span.PerHour(span.Conflicts)))
            yield return Say("conflicts", $"{last.Conflicts} queries cancelled by recovery conflicts");
        if (last.TempBytes >= 1L << 30 && last.PerHour(last.TempBytes) > 10 * Usual(spans, span => span.PerHour(span.TempBytes)))
            yield return Say("temp_bytes", $"{last.TempBytes >> 20} MB of temporary files");
        if (last.Transactions >= 100 && last.RollbackShare > 0.5 && Usual(spans, span => span.RollbackShare) < 0.1)
            yield return Say("xact_rollback", $"{last.RollbackShare:0%} of {last.Transactions} transactions rolled back");

        Anomaly Say(string counter, string what) => new($"{now.Database}:{counter}", Severity.Warning,
            $"{what} in {now.Database} within {last.Length.TotalMinutes:0} minutes, far more than ever in its last {spans.Count} spans");
    }

    /// <summary>Nearly the most that was seen: one bad night does not make the next one usual.</summary>
    private static double Usual(List<Span> spans, Func<Span, double> of)
    {
        var values = spans.Select(of).Order().ToList();
        return values[(int)(0.95 * (values.Count - 1))];
    }

    private static async ValueTask<IReadOnlyList<Sample>> Read(IPatientSource source, TimeProvider clock, CancellationToken cancellationToken)
    {
        var patient = await source.Open(null, cancellationToken);
        await using var session = patient.Session;
        var at = clock.GetUtcNow();
        return await session.Rows(Sql, row => new Sample(row.GetString(0), at, row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4),
            row.GetInt64(5), row.GetInt64(6), row.GetString(7)), cancellationToken);
    }

    /// <summary>A database's counters at one moment.</summary>
    internal sealed record Sample(
        string Database, DateTimeOffset At, long Commits, long Rollbacks, long Deadlocks, long Conflicts, long TempBytes, long Failures, string Reset)
    {
        public Counters ToCounters() => new(Database, JsonSerializer.Serialize(this), At);

        public static Sample Of(Counters counters) => JsonSerializer.Deserialize<Sample>(counters.Json)!;
    }

    /// <summary>What was counted between two samples.</summary>
    private sealed record Span(TimeSpan Length, long Transactions, long Rollbacks, long Deadlocks, long Conflicts, long TempBytes, long Failures)
    {
        public double RollbackShare => Transactions == 0 ? 0 : (double)Rollbacks / Transactions;

        public double PerHour(long counted) => counted / Length.TotalHours;

        /// <returns>Null across a reset of the statistics, a crash that lost them, or a clock that jumped.</returns>
        public static Span? Between(Sample older, Sample newer) =>
            older.Reset != newer.Reset || newer.At <= older.At || newer.Commits < older.Commits || newer.Rollbacks < older.Rollbacks ? null
            : new Span(newer.At - older.At, newer.Commits - older.Commits + newer.Rollbacks - older.Rollbacks, newer.Rollbacks - older.Rollbacks,
                newer.Deadlocks - older.Deadlocks, newer.Conflicts - older.Conflicts, newer.TempBytes - older.TempBytes, newer.Failures - older.Failures);
    }
}

/// <summary>Something out of the ordinary in a server's counters.</summary>
internal sealed record Anomaly(string Key, Severity Severity, string Text);
