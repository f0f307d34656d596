using System.Data.Common;
using Kintsugi.Postgres.Checks.Server;

namespace Kintsugi.Postgres.Forensics;

/// <summary>What whoever looks into a case later wants to know of the server: as it says so itself, without secrets.</summary>
public static class ServerRecord
{
    /// <summary>Columns of a query become "name: value" or one line of values; whatever cannot be had says why.</summary>
    private static readonly (string File, string Sql)[] Questions =
    [
        ("versions.txt", "SELECT 'server' AS what, pg_catalog.version() AS version UNION ALL SELECT 'extension ' || e.extname, e.extversion FROM pg_catalog.pg_extension e ORDER BY 1"),
        ("settings.txt", "SELECT s.name, s.setting, s.unit, s.source, s.sourcefile, s.pending_restart FROM pg_catalog.pg_settings s ORDER BY 1"),
        ("settings-of-roles.txt", "SELECT coalesce(d.datname::pg_catalog.text, 'all databases'), coalesce(r.rolname::pg_catalog.text, 'all roles'), c.setting "
            + "FROM pg_catalog.pg_db_role_setting s CROSS JOIN pg_catalog.unnest(s.setconfig) c(setting) "
            + "LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole ORDER BY 1, 2"),
        ("control-system.txt", "SELECT * FROM pg_catalog.pg_control_system()"),
        ("control-checkpoint.txt", "SELECT * FROM pg_catalog.pg_control_checkpoint()"),
        ("control-init.txt", "SELECT * FROM pg_catalog.pg_control_init()"),
        ("control-recovery.txt", "SELECT * FROM pg_catalog.pg_control_recovery()"),
        ("wal.txt", "SELECT pg_catalog.pg_is_in_recovery() AS in_recovery, "
            + "CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE pg_catalog.pg_current_wal_insert_lsn() END AS insert_lsn, "
            + "CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE pg_catalog.pg_current_wal_flush_lsn() END AS flush_lsn, "
            + "pg_catalog.pg_last_wal_receive_lsn() AS received_lsn, pg_catalog.pg_last_wal_replay_lsn() AS replayed_lsn, "
            + "pg_catalog.pg_postmaster_start_time() AS server_started, pg_catalog.now() AS now"),
        ("archiver.txt", "SELECT * FROM pg_catalog.pg_stat_archiver"),
        ("replication-slots.txt", "SELECT * FROM pg_catalog.pg_replication_slots"),
        ("databases.txt", "SELECT * FROM pg_catalog.pg_stat_database"),
        ("vacuum.txt", "SELECT s.schemaname, s.relname, s.n_live_tup, s.n_dead_tup, s.last_vacuum, s.last_autovacuum, s.last_analyze FROM pg_catalog.pg_stat_all_tables s "
            + "WHERE s.last_vacuum IS NOT NULL OR s.last_autovacuum IS NOT NULL OR s.n_dead_tup > 0 ORDER BY 1, 2"),
    ];

    public static async ValueTask<IReadOnlyList<(string File, string Text)>> Take(Patient patient, CancellationToken cancellationToken)
    {
        var files = new List<(string, string)>();
        foreach (var (file, sql) in Questions)
            files.Add((file, await Answer(async () => string.Join('\n', await patient.Session.Rows(sql, Line, cancellationToken)), cancellationToken)));
        files.Add(("log-damage.txt", await Answer(async () => string.Join('\n',
            LogLines.OfDamage(await ServerLogCheck.Tail(patient, cancellationToken) ?? "").Select(trace => Redaction.Text(trace.Text))), cancellationToken)));
        files.Add(("log-end.txt", await Answer(async () => Redaction.Text(End(await ServerLogCheck.Tail(patient, cancellationToken)
            ?? "the server keeps no log file of its own (logging_collector is off): look in the journal of the system")), cancellationToken)));
        return files;
    }

    private static string Line(DbDataReader row)
    {
        var name = row.GetName(0) == "name" ? row.GetString(0) : "";
        return string.Join("  ", Enumerable.Range(0, row.FieldCount).Where(i => !row.IsDBNull(i)).Select(i =>
            $"{row.GetName(i)}={(name.Length > 0 && row.GetName(i) == "setting" ? Redaction.Setting(name, Value(row, i)) : Redaction.Text(Value(row, i)))}"));
    }

    private static string Value(DbDataReader row, int at) => row.GetDataTypeName(at) switch
    {
        "timestamp with time zone" => row.GetFieldValue<DateTimeOffset>(at).ToString("O"),
        _ => Convert.ToString(row.GetValue(at), System.Globalization.CultureInfo.InvariantCulture) ?? "",
    };

    private static string End(string log) => log.Length > 200_000 ? log[^200_000..] : log;

    private static async ValueTask<string> Answer(Func<ValueTask<string>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return await ask();
        }
        catch (PatientException problem) when (!cancellationToken.IsCancellationRequested)
        {
            return $"not to be had: {problem.Message} (SQLSTATE {problem.SqlState})";
        }
    }
}
