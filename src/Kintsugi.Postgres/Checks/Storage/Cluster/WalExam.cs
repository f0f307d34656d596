using Kintsugi.Pages.Files;
using Kintsugi.Pages.Wal;
using Kintsugi.Postgres.Files.Offline;
using WalReaderEnd = Kintsugi.Pages.Wal.WalEnd;

namespace Kintsugi.Postgres.Checks.Storage.Cluster;

/// <summary>The WAL that the next start needs: the latest checkpoint's record, and everything from its redo point up to
/// it.</summary>
internal static class WalExam
{
    private const string Hint = "the server does not start without it (or, if it runs, would not after a crash). Put the WAL "
        + "segment back from the archive, a standby or a "
        + "backup; pg_resetwal gives up everything that is only in the WAL: copy first, dump, initdb, restore";

    /// <summary>A spread checkpoint may lie gigabytes behind its redo point: then only both ends are read.</summary>
    private const ulong MostToRead = 64 << 20;

    public static void Look(ClusterView view)
    {
        if (view.Control is not { } control || view.Files.Directory is not { } directory)
            return;
        // A restored backup or a standby fetches its WAL from elsewhere: what is not here is not lost.
        if (view.Patient.Can.InRecovery || view.Files.Exists("backup_label") || view.Files.Exists("standby.signal")
            || view.Files.Exists("recovery.signal") || control.State
            is ClusterState.InArchiveRecovery or ClusterState.ShutDownInRecovery)
            return;
        using var source = new WalFiles(directory, (int)control.WalSegmentSize, control.Timeline);
        if (control.Checkpoint - control.Redo <= MostToRead)
        {
            Demand(view, source, control, control.Redo, control.Checkpoint);
            return;
        }
        Demand(view, source, control, control.Redo, control.Redo);
        Demand(view, source, control, control.Checkpoint, control.Checkpoint);
    }

    /// <summary>Records from one place to another, both readable.</summary>
    private static void Demand(ClusterView view, WalFiles source, ControlFile control, ulong from, ulong to)
    {
        var reader = new WalReader(source, from);
        while (reader.Next() is { } record)
            if (record.Lsn >= to)
                return;
        var needs = $"recovery starts at {PageJudge.Lsn(control.Redo)} and needs all up to the checkpoint at "
            + $"{PageJudge.Lsn(control.Checkpoint)}";
        view.AccuseCluster($"pg_wal/{source.NameOf(reader.Position)}", reader.End == WalReaderEnd.Missing
            ? $"the segment is missing; {needs}"
            : $"no valid record at {PageJudge.Lsn(reader.Position)} ({reader.End}); {needs}", Hint);
    }
}
