using System.Globalization;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>How far the WAL has got: no page on disk can be ahead of it (write-ahead logging).</summary>
internal static class WalEnd
{
    /// <returns>The position, or 0 when it cannot be told.</returns>
    public static async ValueTask<ulong> Ask(Patient patient, CancellationToken cancellationToken)
    {
        if (patient.Sql is not { } session)
            return 0;
        var lsn = (await session.Rows(patient.Can.InRecovery
                ? "SELECT greatest(pg_catalog.pg_last_wal_replay_lsn(), pg_catalog.pg_last_wal_receive_lsn())::pg_catalog.text"
                : "SELECT pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text",
            row => row.IsDBNull(0) ? null : row.GetString(0), cancellationToken))[0];
        return lsn is null ? 0 : Parse(lsn);
    }

    public static ulong Parse(string lsn)
    {
        var slash = lsn.IndexOf('/', StringComparison.Ordinal);
        return (ulong.Parse(lsn.AsSpan(0, slash), NumberStyles.HexNumber, CultureInfo.InvariantCulture) << 32)
            | uint.Parse(lsn.AsSpan(slash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
