using Kintsugi.Pages;
using Kintsugi.Pages.Files;

namespace Kintsugi.Postgres.Checks.Storage.Cluster;

/// <summary>global/pg_control: without it no server starts.</summary>
internal static class ControlFileExam
{
    public const string File = "global/pg_control";

    private const string Hint = "take a snapshot of the whole directory; then put the file back from a base backup of this "
        + "cluster that recovery can "
        + "start from. pg_resetwal writes a new one from what it finds, at the price of everything that is only in the WAL: "
        + "copy first, dump, initdb, restore";

    public static void Look(ClusterView view)
    {
        if (view.ControlBytes.Length == 0)
        {
            view.AccuseCluster(File, "the file is missing or empty; the server cannot start without it", Hint);
            return;
        }
        var flaws = new List<Flaw>();
        ControlFile.Read(view.ControlBytes, flaws);
        if (flaws.Count > 0)
            view.AccuseCluster(File, string.Join("; ", flaws.Select(flaw => flaw.Describe())), Hint);
        else if (view.ControlBytes.Length != ControlFile.FileSize)
            view.AccuseCluster(File, $"the file has {view.ControlBytes.Length} bytes, {ControlFile.FileSize} were expected",
                Hint);
    }
}
