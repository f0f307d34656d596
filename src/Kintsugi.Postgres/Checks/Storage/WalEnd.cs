using System.Globalization;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Checks.Storage;

/// <summary>How far the WAL has got: no page on disk can be ahead of it (write-ahead logging).</summary>
internal static class WalEnd
{
    /// <returns>The position, or 0 when it cannot be told.</returns>
    public static async ValueTask<ulong> Ask(Patient patient, CancellationToken cancellationToken)
    {
        if (patient.Sql is not { } session)
            return StoppedAt(patient);
        var lsn = (await session.Rows(patient.Can.InRecovery
                ? "SELECT greatest(pg_catalog.pg_last_wal_replay_lsn(), pg_catalog.pg_last_wal_receive_lsn())::pg_catalog.text"
                : "SELECT pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text",
            row => row.IsDBNull(0) ? null : row.GetString(0), cancellationToken))[0];
        return lsn is null ? 0 : Parse(lsn);
    }

    /// <summary>After a clean stop nothing follows the last checkpoint's record; after a crash the end is not known without
    /// replay.</summary>
    private static ulong StoppedAt(Patient patient) =>
        patient.Files?.Directory is { } path && DataDirectory.Open(path) is { IsShutDown: true, Control: { } control }
            ? control.Checkpoint : 0;

    public static ulong Parse(string lsn)
    {
        var slash = lsn.IndexOf('/', StringComparison.Ordinal);
        return (ulong.Parse(lsn.AsSpan(0, slash), NumberStyles.HexNumber, CultureInfo.InvariantCulture) << 32)
            | uint.Parse(lsn.AsSpan(slash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
