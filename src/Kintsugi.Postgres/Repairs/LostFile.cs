using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Reading;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs;

/// <summary>What a person can do about a table whose file is gone or cut off: nothing that the server reads has its rows.</summary>
internal static class LostFile
{
    /// <param name="table">With its path below the data directory.</param>
    public static string ByHand(IReadOnlyList<Finding> findings, Relation table)
    {
        if (table.Kind == 'S')
            return $"a sequence is one page, and it can be made anew. By hand, as the server's user: dd if=/dev/zero of=DATA/{table.Path} bs=8192 count=1 conv=fsync; chmod 600 DATA/{table.Path}; "
                + "restart the server, for sessions may have the lost file open; then kintsugi heal puts the page of zeros right";
        // A TOAST table goes by the table whose values it holds.
        var name = Quote.Name(table.TableSchema, table.TableName);
        if (findings.All(finding => finding.Target.Fork == Forks.Init))
            return $"{table.Name} is whole, and only what it begins with after a crash is gone. By hand: ALTER TABLE {name} SET LOGGED; ALTER TABLE {name} SET UNLOGGED; each writes the "
                + "table anew under a lock that keeps all others out, and loses nothing as long as no crash comes before";
        var gone = findings.Any(finding => finding.Fault == Faults.FileMissing);
        var open = $"(1) loses nothing, as long as the server has not been restarted: a process may have the file open that was deleted. As root: ls -l /proc/[0-9]*/fd | grep "
            + $"'{table.Path}.*(deleted)'; keep writers out (LOCK TABLE {name} in a session that stays), cp /proc/PID/fd/N DATA/{table.Path} (segment .1 to .1 and so on; same owner, mode "
            + "600), restart the server. ";
        return $"nothing in this cluster has the rows that lay there. Take a snapshot first (kintsugi snapshots create), write nothing to {name}, do not restart, VACUUM, TRUNCATE or DROP it "
            + $"meanwhile. By hand: {(gone ? open : "")}({(gone ? 2 : 1)}) loses nothing: recover a base backup or a snapshot to the end of the WAL beside this server (kintsugi snapshots restore ID "
            + $"--to DIR, restore_command, recovery_target_timeline = 'current'), or take a standby that has replayed everything, stop both, and put COPY/{table.Path} with all its segments in the "
            + $"place of DATA/{table.Path}. ({(gone ? 3 : 2)}) Loses what was written since a dump: put the rows of {name} back from it. ({(gone ? 4 : 3)}) Loses the rows of the missing "
            + $"blocks: COPY what can still be read, SELECT * FROM {name} block range by block range (ctid), and give the rest up; kintsugi page shows which keys of them its indexes still have";
    }
}
