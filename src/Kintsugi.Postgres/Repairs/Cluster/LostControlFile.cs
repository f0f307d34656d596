using System.Security.Cryptography;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Checks.Storage;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>
/// global/pg_control from pg_wal: the record of the latest checkpoint is what the control file copies, the first block of a segment names the cluster.
/// Nothing of the WAL is given up, which is what tells it from pg_resetwal: recovery runs as after any crash.
/// </summary>
internal static class LostControlFile
{
    private const string ByHand = "By hand: put the file back from a base backup and recover from it, or, on a copy (cp -a), pg_resetwal -f, then dump, "
        + "initdb, restore: that gives up every change since the last checkpoint and may leave rows of unfinished transactions visible";

    /// <summary>Enough to tell a cluster with checksums from one without.</summary>
    private const int PagesToAsk = 64;

    public static async ValueTask<ClusterMend> Tell(DataDirectory directory, CancellationToken cancellationToken)
    {
        foreach (var sign in new[] { "backup_label", "standby.signal", "recovery.signal" })
            if (directory.Files.Exists(sign))
                return Unknown($"{sign} is there: how far recovery must come before the data is consistent stood in the control file alone");
        var wal = WalRemains.Read(directory.Path, null, cancellationToken);
        if (wal?.Latest is not { } latest)
            return Unknown("pg_wal holds no checkpoint with all the WAL behind it");
        if (wal.GoesOnBehindAGap)
            return Unknown($"WAL segments are there beyond {PageJudge.Lsn(wal.End)}, where the readable WAL ends: a part between is missing or damaged");
        if (await Checksums(directory, cancellationToken) is not { } checksums)
            return Unknown("its data pages do not agree on whether the cluster has checksums");
        var stopped = latest.Shutdown && latest.End == wal.End;
        var text = new ControlFileText
        {
            Major = directory.Major,
            SystemIdentifier = wal.SystemIdentifier,
            State = stopped ? ClusterState.ShutDown : ClusterState.InProduction,
            Checkpoint = latest.Lsn,
            CheckpointData = latest.Data,
            WalSegmentSize = wal.SegmentSize,
            Checksums = checksums,
            CommitTimestamps = directory.Files.List("pg_commit_ts").Any(name => !name.EndsWith('/')),
            Nonce = SHA256.HashData([.. BitConverter.GetBytes(wal.SystemIdentifier), .. latest.Data, .. LastWal(directory, wal)]),
            SignedChar = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
                is System.Runtime.InteropServices.Architecture.X64 or System.Runtime.InteropServices.Architecture.X86,
        };
        return new ClusterMend.Content(text.Write(), $"pg_wal holds the checkpoint at {PageJudge.Lsn(latest.Lsn)} and all WAL from its redo point "
            + $"{PageJudge.Lsn(latest.Redo)} to {PageJudge.Lsn(wal.End)}" + (stopped ? ", which a clean stop ended" : "; the server recovers from it as after a crash"))
        {
            Warnings = ["settings that a standby compares (max_connections and the like) are written as initdb leaves them; the server puts its own there when it starts"],
        };
    }

    private static ClusterMend.Unknown Unknown(string why) => new($"the control file cannot be told from what is left: {why}. {ByHand}");

    /// <summary>What nobody outside has seen: roles that do not exist are answered with what is derived from it.</summary>
    private static byte[] LastWal(DataDirectory directory, WalRemains wal)
    {
        using var files = new WalFiles(directory.Path, (int)wal.SegmentSize, wal.Timeline);
        var page = new byte[PageFormat.Size];
        files.TryRead(wal.End & ~(ulong)(PageFormat.Size - 1), page);
        return page;
    }

    /// <summary>Pages of a cluster with checksums carry theirs; without, the two bytes are zero. Null when they contradict each other.</summary>
    private static async ValueTask<bool?> Checksums(DataDirectory directory, CancellationToken cancellationToken)
    {
        var page = new byte[PageFormat.Size];
        var (right, none, wrong) = (0, 0, 0);
        foreach (var home in directory.Files.List("base").Where(entry => entry.EndsWith('/')).Select(entry => $"base/{entry}").Prepend("global/"))
            foreach (var name in directory.Files.List(home).Where(name => uint.TryParse(name, out _)))
            {
                if (right + none + wrong >= PagesToAsk)
                    break;
                if (await directory.Files.Read(home + name, 0, page, cancellationToken) < page.Length || PageHeader.Read(page).IsNew)
                    continue;
                if (PageHeader.Read(page).Checksum == 0)
                    none++;
                else if (PageChecksum.Matches(page, 0))
                    right++;
                else
                    wrong++;
            }
        // A torn or damaged page among many does not speak against the others.
        return right > 0 && none == 0 && wrong <= right / 16 ? true : none > 0 && right == 0 && wrong == 0 ? false : null;
    }
}
