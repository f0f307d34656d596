using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Kintsugi.Lab;

/// <summary>
/// A stopped cluster with the sample database in it, made once for each server and kept for the next run; tests work on
/// copies, which cost a fraction of initdb and of the load.
/// </summary>
public static class GoldenCluster
{
    /// <summary>Raise it when what the lab puts into a cluster changes in a way that the sample's text does not show.</summary>
    private const int Format = 1;

    /// <summary>Other revisions are kept this long: another checkout may be at work with them.</summary>
    private static readonly TimeSpan Keep = TimeSpan.FromDays(2);

    /// <summary>The data directory of the golden cluster for this server; nobody may start it there.</summary>
    /// <remarks>It holds the database <see cref="SampleDatabase.Name"/> with all of the lab's extensions.</remarks>
    public static async Task<string> Obtain(
        Laboratory laboratory, PostgresBinaries binaries, ClusterOptions options, int movies, TimeProvider time,
        CancellationToken cancellationToken)
    {
        var cache = LabPaths.Cache("golden");
        var name = $"{binaries.Major.ToString(CultureInfo.InvariantCulture)}-{Key(binaries, options, movies)}";
        var place = Path.Combine(cache, name);
        if (Directory.Exists(place))
            return place;
        using var held = await FileLock.Take(place + ".lock", cancellationToken);
        if (Directory.Exists(place))
            return place;

        RemoveOld(cache, binaries.Major, time);
        await using var cluster = await laboratory.Create(binaries, options, cancellationToken);
        await SampleDatabase.Load(cluster, SampleDatabase.Name, movies, cancellationToken);
        await cluster.CreateExtensions(SampleDatabase.Name, cancellationToken);
        await cluster.Stop(StopMode.Fast, cancellationToken);
        var work = Path.Combine(cache, $".{name}.{Environment.ProcessId}");
        await ExternalCommand.Require(["cp", "-a", "--reflink=auto", cluster.DataDirectory, work], cancellationToken);
        Directory.Move(work, place);
        return place;
    }

    // Two builds of one major may differ in their ICU library, hence in collation versions: the directory is part of the key.
    private static string Key(PostgresBinaries binaries, ClusterOptions options, int movies)
    {
        var parts = string.Join('\n', [
            Format.ToString(CultureInfo.InvariantCulture), binaries.Directory, SampleDatabase.Revision(movies),
            .. options.InitDbArguments(binaries.Major), .. options.Settings.Select(s => $"{s.Key}={s.Value}"),
            ServerAccount.Current().Uid.ToString(CultureInfo.InvariantCulture),
        ]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(parts)))[..12];
    }

    private static void RemoveOld(string cache, int major, TimeProvider time)
    {
        foreach (var other in Directory.GetDirectories(cache, $"{major.ToString(CultureInfo.InvariantCulture)}-*"))
            if (time.GetUtcNow() - Directory.GetCreationTimeUtc(other) > Keep)
                Directory.Delete(other, recursive: true);
    }
}
