using System.Globalization;

namespace Kintsugi.Postgres.Checks.Server;

/// <summary>How far transaction and multixact ids have aged, and who keeps old ones from being frozen ("Preventing Transaction ID
/// Wraparound Failures").</summary>
public sealed class WraparoundCheck : ICheck
{
    /// <summary>vacuum_failsafe_age's default: from here the server itself drops everything else (14 and later).</summary>
    private const long Failsafe = 1_600_000_000;

    public string Id => "wraparound";
    public string Proves => "transaction ids are far from wraparound and nobody holds them back";
    public Layer Layer => Layer.Server;
    public Depth Depth => Depth.Quick;
    public IReadOnlyList<FaultClass> Finds => [Faults.WraparoundNear];
    public Needs Needs { get; } = new() { Relations = false };
    public Scope Scope => Scope.Server;

    /// <summary>Autovacuum starts at one times its limit; twice as old means that it does not get done.</summary>
    private const string Ages = """
        SELECT 'database ' || d.datname, 'transaction ids', pg_catalog.age(d.datfrozenxid)::pg_catalog.int8,
               2 * pg_catalog.current_setting('autovacuum_freeze_max_age')::pg_catalog.int8 FROM pg_catalog.pg_database d
        UNION ALL
        SELECT 'database ' || d.datname, 'multixact ids', pg_catalog.mxid_age(d.datminmxid)::pg_catalog.int8,
               2 * pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::pg_catalog.int8
                   FROM pg_catalog.pg_database d
        """;

    /// <summary>Who holds the horizon, since how many transactions, and since how many seconds where that is known.</summary>
    private const string Holders = """
        SELECT 'prepared transaction ' || p.gid || ' in database ' || p.database, pg_catalog.age(p.transaction)::pg_catalog.int8,
               EXTRACT(epoch FROM pg_catalog.now() - p.prepared)::pg_catalog.int8, 'COMMIT PREPARED or ROLLBACK PREPARED it'
        FROM pg_catalog.pg_prepared_xacts p
        UNION ALL
        SELECT 'replication slot ' || s.slot_name, greatest(pg_catalog.age(s.xmin),
            pg_catalog.age(s.catalog_xmin))::pg_catalog.int8, 0,
               'drop the slot when its consumer will not come back' FROM pg_catalog.pg_replication_slots s WHERE NOT s.active
        UNION ALL
        SELECT 'session ' || a.pid || ' of ' || coalesce(a.usename, '?') || ' (' || coalesce(a.application_name, '') || ')',
               greatest(pg_catalog.age(a.backend_xid), pg_catalog.age(a.backend_xmin))::pg_catalog.int8,
               EXTRACT(epoch FROM pg_catalog.now() - a.xact_start)::pg_catalog.int8, 'end its transaction: pg_terminate_backend'
        FROM pg_catalog.pg_stat_activity a WHERE a.xact_start IS NOT NULL AND a.pid <> pg_catalog.pg_backend_pid()
          AND (a.backend_xid IS NOT NULL OR a.backend_xmin IS NOT NULL)
        """;

    /// <summary>A holder is told of from a day, or from as many transactions as make a quarter of what autovacuum waits for by
    /// default.</summary>
    private const long HeldTransactions = 50_000_000, HeldSeconds = 86_400;

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Portion>>([Part(patient, "ages"), Part(patient, "holders")]);

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        if (portion.Target.Rule == "ages")
            return Verdict.From([.. (await patient.Session.Rows(Ages,
                row => (Who: row.GetString(0), What: row.GetString(1), Age: row.GetInt64(2), Limit: row.GetInt64(3)),
                    cancellationToken))
                .Where(it => it.Age > Math.Min(it.Limit, Failsafe))
                .Select(it => new Finding(Faults.WraparoundNear, Place(patient) with { Rule = $"{it.Who} {it.What}" },
                    $"{it.What} of {it.Who} are {Number(it.Age)} old; at 2,147,483,648 the server stops taking writes")
                {
                    SeverityOverride = it.Age > Failsafe ? Severity.Critical : Severity.Warning,
                    Hint = "VACUUM (FREEZE) its oldest tables; see who holds the horizon back: kintsugi check -c wraparound",
                })]);
        return Verdict.From([.. (await patient.Session.Rows(Holders, row => (Who: row.GetString(0), Age: row.IsDBNull(1) ? 0
            : row.GetInt64(1),
                Seconds: row.IsDBNull(2) ? 0 : row.GetInt64(2), Hint: row.GetString(3)), cancellationToken))
            .Where(it => it.Age > HeldTransactions || it.Seconds > HeldSeconds)
            .Select(it => new Finding(Faults.WraparoundNear, Place(patient) with { Rule = it.Who },
                $"{it.Who} has held back freezing and vacuum for {Number(it.Age)} transactions"
                + (it.Seconds > 0 ? $" and {TimeSpan.FromSeconds(it.Seconds):d\\.hh\\:mm\\:ss}" : "")) { Hint = it.Hint })]);
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static Portion Part(Patient patient, string rule) => new(Place(patient) with { Rule = rule });

    private static Target Place(Patient patient) => new() { Server = patient.Can.SystemIdentifier, Kind = TargetKind.Server };
}
