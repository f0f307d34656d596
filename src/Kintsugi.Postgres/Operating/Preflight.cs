using Kintsugi.Postgres.Files;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>What stands against a plan at this moment and will pass: told as what is awaited.</summary>
internal static class Preflight
{
    public static async ValueTask<string?> Obstacle(Plan plan, WriteSession session, CancellationToken cancellationToken)
    {
        if (plan.Steps.Any(step => step.Kind == RebuildIndexStep.Name) && await OldTransaction(session, cancellationToken) is { } old)
            return old;
        return plan.DiskBytes > 0 ? await WalTraffic.Obstacle(plan, session, cancellationToken) ?? await Room(plan, session, cancellationToken) : null;
    }

    /// <summary>A concurrent build waits for every transaction that is older than itself, prepared ones for ever.</summary>
    private static async ValueTask<string?> OldTransaction(WriteSession session, CancellationToken cancellationToken)
    {
        var prepared = await session.Rows(
            "SELECT p.gid FROM pg_catalog.pg_prepared_xacts p WHERE p.database = pg_catalog.current_database() ORDER BY p.prepared LIMIT 3",
            row => row.GetString(0), cancellationToken);
        if (prepared.Count > 0)
            return $"a prepared transaction ({string.Join(", ", prepared)}) would be waited for without end: COMMIT PREPARED or ROLLBACK PREPARED it";
        var old = await session.Rows("""
            SELECT pg_catalog.format('backend %s (%s, %s) is in a transaction since %s', s.pid, s.usename, s.application_name, s.xact_start)
            FROM pg_catalog.pg_stat_activity s
            WHERE s.datname = pg_catalog.current_database() AND s.pid <> pg_catalog.pg_backend_pid() AND s.backend_type = 'client backend'
              AND s.xact_start < pg_catalog.now() - interval '15 minutes' AND s.backend_xmin IS NOT NULL
            ORDER BY s.xact_start LIMIT 1
            """, row => row.GetString(0), cancellationToken);
        return old.Count > 0 ? $"{old[0]}: a concurrent rebuild would wait for its end" : null;
    }

    private static async ValueTask<string?> Room(Plan plan, WriteSession session, CancellationToken cancellationToken)
    {
        var directory = await session.Value<string>("SELECT pg_catalog.current_setting('data_directory', true)", cancellationToken);
        var identifier = await session.Value<string>(
            "SELECT s.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() s", cancellationToken);
        if (directory is null || LocalFiles.SystemIdentifier(directory) != identifier)
            return null;
        var free = new DriveInfo(directory).AvailableFreeSpace;
        return free < plan.DiskBytes
            ? $"the plan needs {plan.DiskBytes / 1048576} MiB and {free / 1048576} MiB are free in {directory}"
            : await WalTraffic.Room(plan, directory, session, cancellationToken);
    }
}
