using System.Globalization;
using Kintsugi.Postgres.Files;

namespace Kintsugi.Postgres.Checks.Storage.Cluster;

/// <summary>
/// postmaster.pid of a server that is gone. The next server takes it over by itself, but for two cases (CreateLockFile, src/backend/utils/init/miscinit.c):
/// the file is empty, or its process id belongs to another process of the same user by now, as after a restart of the machine or of a container.
/// </summary>
internal static class LockFileExam
{
    public const string File = "postmaster.pid";

    public static void Look(ClusterView view)
    {
        if (view.Patient.IsLive || view.Files.Directory is not { } directory || !view.Files.Exists(File))
            return;
        var path = Path.Combine(directory, File);
        var text = System.IO.File.ReadLines(path).FirstOrDefault()?.Trim() ?? "";
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var pid) || pid == 0)
            view.AccuseCluster(File, $"it names no process (\"{text}\"); the server takes it for another's that is just starting", Hint);
        else if (FileOwner.OfProcess(Math.Abs(pid)) is { } process && process.Uid == FileOwner.Of(directory))
            view.AccuseCluster(File, $"it names process {Math.Abs(pid)}, which is no server of this directory but {process.Name}, of the same user; the server believes that one is running", Hint);
    }

    private const string Hint = "make sure that no server works on this directory (ps, and ipcs for its shared memory), then move the file away";
}
