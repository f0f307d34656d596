using System.Globalization;

namespace Kintsugi.Lab;

/// <summary>
/// A place for throwaway PostgreSQL clusters: one directory that holds all of them, and that the next laboratory clears
/// away should this process die before it could.
/// </summary>
public sealed class Laboratory : IAsyncDisposable
{
    private const string Prefix = "kintsugi-lab-", OwnerFile = "owner", KeepFile = "keep";

    /// <summary>
    /// A socket path has at most 107 bytes on Linux (sun_path), and `/c99/s/.s.PGSQL.65535` has to fit behind this.
    /// </summary>
    private const int LongestRoot = 80;

    private readonly List<ThrowawayCluster> clusters = [];
    private readonly Lock gate = new();
    private int created;

    private Laboratory(string root, ServerAccount account)
    {
        Root = root;
        Account = account;
    }

    /// <summary>The directory that holds every cluster of this laboratory.</summary>
    public string Root { get; }

    internal ServerAccount Account { get; }

    /// <summary>Opens a laboratory, and first clears away those whose process died.</summary>
    public static async Task<Laboratory> Open(CancellationToken cancellationToken)
    {
        var parent = Path.GetTempPath().TrimEnd('/');
        if (parent.Length > LongestRoot)
            parent = "/tmp";
        await ClearAway(parent, cancellationToken);
        var root = Path.Combine(parent, Prefix + Guid.NewGuid().ToString("N")[..8]);
        Directory.CreateDirectory(root);
        LabPaths.MakeTraversable(root);
        await File.WriteAllTextAsync(Path.Combine(root, OwnerFile), Owner(Environment.ProcessId), cancellationToken);
        return new Laboratory(root, ServerAccount.Current());
    }

    /// <summary>Makes a new, running cluster with initdb.</summary>
    public async Task<ThrowawayCluster> Create(PostgresBinaries binaries, ClusterOptions options,
        CancellationToken cancellationToken)
    {
        var cluster = Register(new ThrowawayCluster(this, binaries, options, await NewHome(cancellationToken)));
        await cluster.Initialize(cancellationToken);
        await cluster.Start(cancellationToken);
        return cluster;
    }

    /// <summary>Copies a stopped cluster's data directory into a new cluster, which is not started.</summary>
    public async Task<ThrowawayCluster> CopyOf(
        PostgresBinaries binaries, ClusterOptions options, string dataDirectory, CancellationToken cancellationToken)
    {
        var cluster = Register(new ThrowawayCluster(this, binaries, options, await NewHome(cancellationToken)));
        await ExternalCommand.Require(
            ["cp", "-a", "--reflink=auto", dataDirectory, cluster.DataDirectory], cancellationToken);
        return cluster;
    }

    /// <summary>From here on nothing is cleared away: the user wants to look at it (`--keep`).</summary>
    public void Keep() => File.WriteAllText(Path.Combine(Root, KeepFile), "");

    /// <summary>Stops every server and removes the directory, unless it is to be kept.</summary>
    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Root, KeepFile)))
            return;
        List<ThrowawayCluster> all;
        lock (gate)
            all = [.. clusters];
        foreach (var cluster in all)
            await cluster.DisposeAsync();
        await Remove(Root, CancellationToken.None);
    }

    internal void Forget(ThrowawayCluster cluster)
    {
        lock (gate)
            clusters.Remove(cluster);
    }

    private ThrowawayCluster Register(ThrowawayCluster cluster)
    {
        lock (gate)
            clusters.Add(cluster);
        return cluster;
    }

    private async Task<string> NewHome(CancellationToken cancellationToken)
    {
        var home = Path.Combine(Root, "c" + Interlocked.Increment(ref created).ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(Path.Combine(home, "s"));
        LabPaths.MakeTraversable(home);
        LabPaths.MakeTraversable(Path.Combine(home, "s"));
        await Account.Own(home, cancellationToken);
        return home;
    }

    private static string Owner(int pid) =>
        $"{pid.ToString(CultureInfo.InvariantCulture)} {ServerProcess.StartOf(pid)}";

    private static async Task ClearAway(string parent, CancellationToken cancellationToken)
    {
        foreach (var root in Directory.EnumerateDirectories(parent, Prefix + "*"))
        {
            if (File.Exists(Path.Combine(root, KeepFile)))
                continue;
            var text = await ReadOwner(root, cancellationToken);
            if (text.Split(' ') is [var pid, _] && text != Owner(int.Parse(pid, CultureInfo.InvariantCulture)))
                await Remove(root, cancellationToken);
        }
    }

    /// <returns>Empty when nobody signed yet, or when somebody else is clearing it away at this moment.</returns>
    private static async Task<string> ReadOwner(string root, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(Path.Combine(root, OwnerFile), cancellationToken);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static async Task Remove(string root, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(root))
            return;
        foreach (var home in Directory.GetDirectories(root, "c*"))
            await ServerProcess.KillAll(Path.Combine(home, "data"), cancellationToken);
        await ExternalCommand.Run(["rm", "-rf", root], cancellationToken);
    }
}
