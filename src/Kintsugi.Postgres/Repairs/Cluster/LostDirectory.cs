using Kintsugi.Pages.Files;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Repairs.Cluster;

/// <summary>Directories that a server needs although nothing may be in them: copies by tools that leave out empty ones lack them.</summary>
internal static class LostDirectory
{
    /// <summary>Whose contents, if there were any, the server makes anew or can do without.</summary>
    private static readonly string[] Empty =
        ["pg_notify", "pg_serial", "pg_snapshots", "pg_subtrans", "pg_logical", "pg_logical/snapshots", "pg_logical/mappings"];

    public static ClusterMend Tell(string name, DataDirectory directory) => name switch
    {
        "pg_replslot" => new ClusterMend.Folder("the server does not start without it; slots are made again by hand")
        {
            Warnings = ["replication slots that were in it are gone: standbys and subscribers that used one need it again before they go on"],
        },
        "pg_twophase" when !NothingPrepared(directory) => Unknown(name, directory, "transactions without an end are in pg_xact: some may have been prepared "
            + "(PREPARE TRANSACTION), and their changes would end with this directory"),
        "pg_commit_ts" when directory.Files.List("pg_commit_ts").Count == 0 && Tracks(directory) is not false => Unknown(name, directory,
            "track_commit_timestamp was on: the times of past commits would be gone"),
        "pg_tblspc" => new ClusterMend.Folder("the server does not start without it")
        {
            Warnings = ["links to tablespaces that were in it are gone: kintsugi check names each tablespace of the catalog that has none"],
        },
        _ when Empty.Contains(name) || name is "pg_twophase" or "pg_commit_ts" => new ClusterMend.Folder("the server does not start without it, and makes what belongs into it"),
        _ => Unknown(name, directory, "what was in it is not known"),
    };

    private static ClusterMend.Unknown Unknown(string name, DataDirectory directory, string why) =>
        new($"{name} is not made anew: {why}. Put it back from a backup, or, where that is accepted: mkdir -m 700 {Path.Combine(directory.Path, name)}");

    /// <summary>track_commit_timestamp of the control file (ControlFileData, byte 200); null where it cannot be believed.</summary>
    private static bool? Tracks(DataDirectory directory) =>
        directory.IsControlTrusted ? File.ReadAllBytes(Path.Combine(directory.Path, "global", "pg_control"))[200] != 0 : null;

    /// <summary>A clean stop leaves every transaction with an end, but for prepared ones (src/backend/access/transam/twophase.c).</summary>
    private static bool NothingPrepared(DataDirectory directory)
    {
        if (!directory.IsShutDown || directory.Control is not { } control)
            return false;
        byte[] segment = [];
        var at = uint.MaxValue;
        for (var xid = control.OldestXid; xid != control.NextXid; xid = xid == uint.MaxValue ? 3 : xid + 1)
        {
            var place = CommitLog.PlaceOf(xid);
            if (place.Segment != at)
            {
                var file = Path.Combine(directory.Path, "pg_xact", place.FileName);
                segment = File.Exists(file) ? File.ReadAllBytes(file) : [];
                at = place.Segment;
            }
            if (CommitLog.Read(segment, xid) is not (XidOutcome.Committed or XidOutcome.Aborted))
                return false;
        }
        return true;
    }
}
