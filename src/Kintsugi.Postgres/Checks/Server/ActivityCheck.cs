using System.Globalization;

namespace Kintsugi.Postgres.Checks.Server;

/// <summary>
/// What the server has counted in pg_stat_database since its statistics were reset: checksum failures above all, which say in
/// which database
/// to look. Only what is out of the ordinary by itself; the comparison with a server's own history is the health check's.
/// </summary>
public sealed class ActivityCheck : ICheck
{
    /// <summary>Below that many transactions shares mean nothing.</summary>
    private const long Enough = 10_000;

    public string Id => "activity";
    public string Proves => "the server's own counters tell of nothing out of the ordinary";
    public Layer Layer => Layer.Server;
    public Depth Depth => Depth.Quick;
    public IReadOnlyList<FaultClass> Finds => [Faults.ServerAnomaly];
    public Needs Needs { get; } = new() { Relations = false };
    public Scope Scope => Scope.Server;

    private const string Sql = """
        SELECT coalesce(s.datname::pg_catalog.text, 'shared objects'), coalesce(s.checksum_failures, 0),
            coalesce(s.checksum_last_failure::pg_catalog.text, ''),
               s.xact_commit, s.xact_rollback, s.deadlocks, s.conflicts FROM pg_catalog.pg_stat_database s
        """;

    private sealed record Counters(string Database, long Failures, string LastFailure, long Commits, long Rollbacks,
        long Deadlocks, long Conflicts);

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([new Portion(Place(patient))]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var counters = await patient.Session.Rows(Sql, row => new Counters(row.GetString(0), row.GetInt64(1), row.GetString(2),
            row.GetInt64(3),
            row.GetInt64(4), row.GetInt64(5), row.GetInt64(6)), cancellationToken);
        return Verdict.From([.. counters.SelectMany(database => Anomalies(database, patient))]);
    }

    private static IEnumerable<Finding> Anomalies(Counters it, Patient patient)
    {
        if (it.Failures > 0)
            yield return Say(it, patient, "checksum_failures", Severity.Critical,
                $"{Number(it.Failures)} checksum failures in {it.Database}, the last at {it.LastFailure}",
                "kintsugi check -c pages names the pages; Kintsugi's own reads of bad pages are counted too");
        if (it.Commits + it.Rollbacks > Enough && it.Rollbacks > it.Commits)
            yield return Say(it, patient, "xact_rollback", Severity.Warning,
                $"more transactions of {it.Database} were rolled back ({Number(it.Rollbacks)}) than committed "
                    + $"({Number(it.Commits)})", "the server's log says why");
        if (it.Deadlocks > 100 && it.Deadlocks * 1000 > it.Commits)
            yield return Say(it, patient, "deadlocks", Severity.Warning,
                $"{Number(it.Deadlocks)} deadlocks in {it.Database} for {Number(it.Commits)} commits",
                    "log_lock_waits and the log say between whom");
        if (it.Conflicts > 1000 && it.Conflicts * 100 > it.Commits)
            yield return Say(it, patient, "conflicts", Severity.Warning,
                $"{Number(it.Conflicts)} queries of {it.Database} were cancelled by recovery conflicts",
                    "hot_standby_feedback, max_standby_streaming_delay");
    }

    private static Finding Say(Counters it, Patient patient, string counter, Severity severity, string evidence, string hint) =>
        new(Faults.ServerAnomaly, Place(patient) with { Rule = $"{counter} {it.Database}" },
            evidence) { SeverityOverride = severity, Hint = hint };

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static Target Place(Patient patient) => new() { Server = patient.Can.SystemIdentifier, Kind = TargetKind.Server };
}
