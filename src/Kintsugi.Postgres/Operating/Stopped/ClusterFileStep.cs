using System.Globalization;
using System.Security.Cryptography;
using Kintsugi.Postgres.Scratch;

namespace Kintsugi.Postgres.Operating.Stopped;

/// <summary>
/// Puts one file of a stopped cluster in place, or takes one away. A new file gets its name by rename, whole and on disk: a kill leaves the old or the new
/// one, never half of it, and what stood there before is in the ledger.
/// </summary>
public static class ClusterFileStep
{
    public const string Name = "cluster-file";
    public const string Write = "write", Make = "make", Link = "link", Remove = "remove";
    private const string Absent = "absent", Folder = "directory";

    /// <summary>The ending of a file that waits for the name.</summary>
    internal const string Draft = ".kintsugi-new";


    /// <summary>Larger ones would not fit into the ledger; a whole segment of pg_xact has 256 kB.</summary>
    private const long MostToRemember = 1 << 20;

    /// <summary>What a plan says of the file that it found.</summary>
    public static string SumOf(string path) => new FileInfo(path).LinkTarget is { } target ? LinkTo(target) : Directory.Exists(path) ? Folder
        : File.Exists(path) ? Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))) : Absent;

    internal static IReadOnlyDictionary<string, string> Remember(Step step, string directory)
    {
        var path = PathOf(step, directory);
        var before = new Dictionary<string, string> { ["before"] = SumOf(path) };
        if (File.Exists(path))
        {
            if (new FileInfo(path).Length > MostToRemember)
                throw new HealingException($"{path} is larger than the ledger keeps: this is no file that this step is for", mayPass: false);
            before["bytes"] = Convert.ToBase64String(File.ReadAllBytes(path));
        }
        return before;
    }

    /// <summary>Does the step in that directory: the cluster's own, or the copy on which it is tried.</summary>
    /// <exception cref="HealingException">Something else stands there than the plan was made for.</exception>
    public static async ValueTask<string> Run(Step step, string directory, CancellationToken cancellationToken)
    {
        var path = PathOf(step, directory);
        var sum = SumOf(path);
        // A copy has no lock file, and what a killed run had put in place stands there: it is as it should be.
        if (sum == After(step))
            return "it is so already";
        if (sum != step["before"])
            throw new HealingException($"{path} is not what it was when the plan was made (sha256 {sum}, {step["before"]} was seen): plan again", mayPass: false);
        await Put(path, step["action"], step["action"] switch
        {
            Write => Convert.FromBase64String(step["content"]),
            Link => System.Text.Encoding.UTF8.GetBytes(step["target"]),
            _ => [],
        }, directory, cancellationToken);
        return step["before"] == Absent ? "there was none before" : "what stood there before is in the ledger and in the snapshot";
    }

    /// <summary>
    /// The step as it is done in a copy: a link there leads to a copy of what it leads to, or the copy's server would write into the original's files.
    /// </summary>
    /// <param name="data">The data directory of the copy.</param>
    /// <exception cref="HealingException">There is no room for it.</exception>
    public static Step ForCopy(Step step, string data)
    {
        if (step["action"] != Link)
            return step;
        var source = new DirectoryInfo(step["target"]);
        var place = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(data))!, SnapshotLayout.Tablespaces, Path.GetFileName(step["path"]));
        var files = source.GetFiles("*", SearchOption.AllDirectories);
        var bytes = files.Sum(file => file.Length);
        if (new DriveInfo(Path.GetDirectoryName(data)!).AvailableFreeSpace < bytes + (bytes / 10))
            throw new HealingException($"there is no room beside {data} for a copy of {source} ({bytes >> 20} MB)", mayPass: false);
        foreach (var folder in source.GetDirectories("*", SearchOption.AllDirectories).Prepend(source))
            Directory.CreateDirectory(Path.Combine(place, Path.GetRelativePath(source.FullName, folder.FullName)));
        foreach (var file in files)
            file.CopyTo(Path.Combine(place, Path.GetRelativePath(source.FullName, file.FullName)), overwrite: true);
        return step with { Arguments = new Dictionary<string, string>(step.Arguments) { ["target"] = place } };
    }

    /// <returns>What was removed, or null.</returns>
    internal static string? CleanUp(Step step, string directory)
    {
        var draft = PathOf(step, directory) + Draft;
        if (!File.Exists(draft))
            return null;
        File.Delete(draft);
        return $"the unfinished {draft}";
    }

    /// <summary>Puts back what stood there before, as long as nobody has changed what was put there: a started server writes its control file anew.</summary>
    /// <exception cref="HealingException">It has been changed since.</exception>
    public static async ValueTask Undo(StepDone done, string directory, CancellationToken cancellationToken)
    {
        var (step, path) = (done.Step, PathOf(done.Step, directory));
        var sum = SumOf(path);
        var before = done.Remembered["before"];
        if (sum == before)
            return;
        if (sum != After(step) || (sum == Folder && Directory.EnumerateFileSystemEntries(path).Any()))
            throw new HealingException($"{path} has been changed since it was put there, by a server that was started: nothing was undone. What stood there "
                + "before is in the case's snapshot", mayPass: false);
        if (before == Absent && sum == Folder)
            Directory.Delete(path);
        else
            await Put(path, before == Absent ? Remove : before == Folder ? Make : Write,
                Convert.FromBase64String(done.Remembered.GetValueOrDefault("bytes") ?? ""), directory, cancellationToken);
    }

    /// <summary>The sum of what the step leaves there.</summary>
    private static string After(Step step) => step["action"] switch
    {
        Write => Convert.ToHexStringLower(SHA256.HashData(Convert.FromBase64String(step["content"]))),
        Make => Folder,
        Link => LinkTo(step["target"]),
        _ => Absent,
    };

    private static string LinkTo(string target) => $"link to {target}";

    private static async ValueTask Put(string path, string action, byte[] content, string directory, CancellationToken cancellationToken)
    {
        try
        {
            if (action == Remove)
                File.Delete(path);
            else if (action == Make)
            {
                Directory.CreateDirectory(path, File.GetUnixFileMode(directory));
                await Own(path, directory, cancellationToken);
            }
            else if (action == Link)
            {
                File.CreateSymbolicLink(path, System.Text.Encoding.UTF8.GetString(content));
                await Own(path, directory, cancellationToken);
            }
            else
            {
                await Replace(path, content, directory, cancellationToken);
            }
            Durable.Names(Path.GetDirectoryName(path)!);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new HealingException($"{path} could not be put in place: {problem.Message} Run as the owner of the data directory or as root", mayPass: false, problem);
        }
    }

    /// <summary>Whole and on disk before it takes the name; owned and readable as the data directory is.</summary>
    internal static async ValueTask Replace(string path, byte[] content, string directory, CancellationToken cancellationToken)
    {
        await WriteDraft(path + Draft, content, directory, cancellationToken);
        File.Move(path + Draft, path, overwrite: true);
        Durable.Names(Path.GetDirectoryName(path)!);
    }

    private static async ValueTask WriteDraft(string draft, byte[] content, string directory, CancellationToken cancellationToken)
    {
        File.Delete(draft);
        // As the server sets it: readable by the group where the data directory is (src/common/file_perm.c).
        var group = (File.GetUnixFileMode(directory) & UnixFileMode.GroupRead) != 0 ? UnixFileMode.GroupRead : 0;
        await using (var file = new FileStream(draft, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | group,
        }))
        {
            await file.WriteAsync(content, cancellationToken);
            file.Flush(flushToDisk: true);
        }
        await Own(draft, directory, cancellationToken);
    }

    private static async ValueTask Own(string path, string directory, CancellationToken cancellationToken)
    {
        if (Environment.IsPrivilegedProcess)
            await ScratchAccount.Run(new ScratchAccount(null).Command(["chown", "--no-dereference", $"--reference={directory}", path]), cancellationToken);
    }

    private static string PathOf(Step step, string directory)
    {
        var path = Path.GetFullPath(Path.Combine(directory, step["path"]));
        return path.StartsWith(Path.GetFullPath(directory) + "/", StringComparison.Ordinal) ? path
            : throw new HealingException(string.Create(CultureInfo.InvariantCulture, $"the path {step["path"]} leads out of {directory}: this plan was altered"), mayPass: false);
    }
}
