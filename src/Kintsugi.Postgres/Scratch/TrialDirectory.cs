using System.Globalization;
using Kintsugi.Postgres.Files.Offline;

namespace Kintsugi.Postgres.Scratch;

/// <summary>
/// Where a copy is tried, in $TMPDIR. It goes when it is disposed; what a killed process left is cleared away by the next one, its server with it.
/// </summary>
public sealed class TrialDirectory : IAsyncDisposable
{
    private const string Prefix = "kintsugi-trial-", OwnerFile = "owner";
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly TimeProvider clock;

    private TrialDirectory(string path, TimeProvider clock)
    {
        Path = path;
        this.clock = clock;
    }

    public string Path { get; }

    /// <summary>Where a copy is laid out: not made yet.</summary>
    public string Copy => System.IO.Path.Combine(Path, "copy");

    /// <param name="bytes">What will be laid out there.</param>
    /// <exception cref="HealingException">There is no room.</exception>
    public static async ValueTask<TrialDirectory> Open(long bytes, TimeProvider clock, CancellationToken cancellationToken)
    {
        var parent = System.IO.Path.GetTempPath();
        foreach (var abandoned in Directory.EnumerateDirectories(parent, Prefix + "*").Where(IsAbandoned))
            await Clear(abandoned, clock, cancellationToken);
        var needed = bytes + (bytes / 10) + (256L << 20);
        if (new DriveInfo(parent).AvailableFreeSpace is var free && free < needed)
            throw new HealingException($"there is no room in {parent} to try a copy of {bytes >> 20} MB ({needed >> 20} MB are needed, {free >> 20} MB are free): "
                + "make room, or name another directory with $TMPDIR", mayPass: false);
        var path = Directory.CreateTempSubdirectory(Prefix).FullName;
        // The account of the scratch server passes through; what lies in it is its own and nobody else's.
        File.SetUnixFileMode(path, (UnixFileMode)0b111_001_001);
        await File.WriteAllTextAsync(System.IO.Path.Combine(path, OwnerFile), ProcessSignature.Own, cancellationToken);
        return new TrialDirectory(path, clock);
    }

    public ValueTask DisposeAsync() => Clear(Path, clock, CancellationToken.None);

    private static bool IsAbandoned(string path)
    {
        try
        {
            var owner = File.ReadAllText(System.IO.Path.Combine(path, OwnerFile));
            return owner.Length > 0 && !ProcessSignature.IsAlive(owner);
        }
        catch (Exception unseen) when (unseen is IOException or UnauthorizedAccessException)
        {
            // Somebody else's, or just being made.
            return false;
        }
    }

    private static async ValueTask Clear(string path, TimeProvider clock, CancellationToken cancellationToken)
    {
        foreach (var data in Directory.EnumerateDirectories(path, "data", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 }))
        {
            await StopServer(data, clock, cancellationToken);
            new ScratchDirectory(data).RemoveSockets();
        }
        Directory.Delete(path, recursive: true);
    }

    private static async ValueTask StopServer(string data, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!File.Exists(System.IO.Path.Combine(data, "PG_VERSION")) || DataDirectory.Open(data).ServerPid is not { } pid || pid == 0)
            return;
        await ScratchAccount.Run(new ScratchAccount(null).Command(["kill", "-s", "QUIT", pid.ToString(CultureInfo.InvariantCulture)]), cancellationToken);
        using var limit = new CancellationTokenSource(StopLimit, clock);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50), clock);
        while (Directory.Exists($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}"))
            await timer.WaitForNextTickAsync(limit.Token);
    }
}
