using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Operating;

/// <summary>
/// Who would feel the WAL of a plan that writes much: a base backup that has to catch up with it, a standby that is behind already, a replication slot that
/// would be invalidated, the disk on which pg_wal lies. All of it passes, so the plan waits (manual: "Replication", max_slot_wal_keep_size).
/// </summary>
internal static class WalTraffic
{
    /// <summary>A standby that is further behind is not given more to replay.</summary>
    private const long MostBehind = 256L << 20;

    private const string Backup = """
        SELECT pg_catalog.format('backend %s sends a base backup (%s)', p.pid, coalesce(p.phase, 'phase unknown'))
        FROM pg_catalog.pg_stat_progress_basebackup p ORDER BY p.pid LIMIT 1
        """;

    private const string Behind = """
        SELECT pg_catalog.format('standby %s is %s behind', coalesce(nullif(s.application_name, ''), s.pid::pg_catalog.text),
                                 pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.replay_lsn)))
        FROM pg_catalog.pg_stat_replication s
        WHERE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.replay_lsn) > $1
        ORDER BY s.replay_lsn LIMIT 1
        """;

    private const string Slot = """
        SELECT pg_catalog.format('replication slot %s is kept for another %s of WAL (max_slot_wal_keep_size)', s.slot_name,
                                 pg_catalog.pg_size_pretty(greatest(s.safe_wal_size, 0)))
        FROM pg_catalog.pg_replication_slots s WHERE s.wal_status IS DISTINCT FROM 'lost' AND s.safe_wal_size < $1
        ORDER BY s.safe_wal_size LIMIT 1
        """;

    public static async ValueTask<string?> Obstacle(Plan plan, WriteSession session, CancellationToken cancellationToken)
    {
        if (await First(session, Backup, cancellationToken) is { } backup)
            return $"{backup}: it would have to carry the WAL of this plan too";
        if (await First(session, Behind, cancellationToken, MostBehind) is { } behind)
            return $"{behind}: it would have to replay the WAL of this plan too";
        return await First(session, Slot, cancellationToken, plan.DiskBytes) is { } slot
            ? $"{slot}, and this plan may write {plan.DiskBytes / 1048576 + 1} MiB: what reads from it would be lost. Let it catch up, or drop it if nothing reads it"
            : null;
    }

    /// <summary>
    /// A plan's WAL beside the files that it writes. Checkpoints recycle what lies beyond max_wal_size, so more than that need not be free.
    /// </summary>
    public static async ValueTask<string?> Room(Plan plan, string directory, WriteSession session, CancellationToken cancellationToken)
    {
        var most = await session.Value<long>("SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size'))", cancellationToken);
        var wal = Path.Combine(directory, "pg_wal");
        var place = File.ResolveLinkTarget(wal, returnFinalTarget: true)?.FullName ?? wal;
        var needed = Math.Min(plan.DiskBytes, most);
        var free = new DriveInfo(place).AvailableFreeSpace;
        return free < needed ? $"the WAL of the plan may need {needed / 1048576} MiB and {free / 1048576} MiB are free in {place}" : null;
    }

    private static async ValueTask<string?> First(WriteSession session, string sql, CancellationToken cancellationToken, params object?[] parameters) =>
        await session.Rows(sql, row => row.GetString(0), cancellationToken, parameters) is [var first, ..] ? first : null;
}
