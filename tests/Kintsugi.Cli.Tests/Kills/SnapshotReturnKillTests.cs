using System.Security.Cryptography;
using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests.Kills;

/// <summary>
/// The return of a snapshot dies at each of its stages. What lies there is not taken for whole, the next run ends it or says what stands in its way,
/// and the original is as it was.
/// </summary>
public sealed class SnapshotReturnKillTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_cluster_that_is_half_laid_out_is_no_cluster(int major)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        var created = await terminal.Run(["snapshots", "create", .. Terminal.Door(database), "-d", database.Name]);
        Assert.True(created.Code == ExitCodes.Sound, created.All);
        var id = Assert.Single(Snapshots(terminal));
        var snapshot = Sums(Path.Combine(terminal.State, "snapshots", id, "data"));
        var before = await database.Fingerprint(Stop);
        var target = terminal.PathOf("beside");
        foreach (var moment in (string[])["laid", "laid data.unfinished/global/pg_control", "all of it lies"])
        {
            await Kill(terminal, moment, "snapshots", "restore", id, "--to", target, "-v");

            Assert.False(Directory.Exists(Path.Combine(target, "data")), moment);
            (await terminal.Run("snapshots", "restore", id, "--to", target)).MustRefuse("is not empty", "data.unfinished", "not whole");
            (await terminal.Run("check", "-D", target)).MustRefuse(target);
            Assert.Equal(ExitCodes.Sound, (await terminal.Run("snapshots", "verify", id)).Code);
            Directory.Delete(target, recursive: true);
        }
        await Kill(terminal, $"{target}/data has its name", "snapshots", "restore", id, "--to", target, "-v");
        Assert.Equal(snapshot, Sums(Path.Combine(target, "data")));
        (await terminal.Run("snapshots", "restore", id, "--to", target)).MustRefuse("is not empty");
        Assert.Equal(snapshot, Sums(Path.Combine(target, "data")));

        Directory.Delete(target, recursive: true);
        var whole = await terminal.Run("snapshots", "restore", id, "--to", target);
        Assert.True(whole.Code == ExitCodes.Sound, whole.All);
        Assert.Equal(snapshot, Sums(Path.Combine(target, "data")));
        Assert.Equal(["data"], Directory.EnumerateFileSystemEntries(target).Select(Path.GetFileName));
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Files_of_a_relation_are_the_old_or_the_new_ones_and_the_next_run_puts_them_all(int major)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        var data = database.Cluster.DataDirectory;
        await database.Execute("ALTER SYSTEM SET wal_keep_size = '256MB'", Stop);
        await database.Execute("SELECT pg_reload_conf()", Stop);
        await database.Execute("VACUUM movies", Stop);
        var file = Path.Combine(data, (await database.Scalar<string>("SELECT pg_relation_filepath('movies')", Stop))!);
        var created = await terminal.Run(["snapshots", "create", .. Terminal.Door(database), "-d", database.Name, "-t", "public.movies"]);
        Assert.True(created.Code == ExitCodes.Sound, created.All);
        var id = Assert.Single(Snapshots(terminal));
        var before = await database.Fingerprint(Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var sound = await File.ReadAllBytesAsync(file, Stop);
        var damaged = sound.ToArray();
        damaged.AsSpan(8192 + 5000, 700).Fill(0x5A);
        await File.WriteAllBytesAsync(file, damaged, Stop);
        var around = Sums(data);
        foreach (var moment in (string[])["what stands there is snapshot", "laid", $"put {Path.GetRelativePath(data, file)}"])
        {
            await File.WriteAllBytesAsync(file, damaged, Stop);

            await Kill(terminal, moment, "snapshots", "restore", id, "-D", data, "-v");

            Assert.Equal(moment.StartsWith("put", StringComparison.Ordinal) ? sound : damaged, await File.ReadAllBytesAsync(file, Stop));
            var beside = Sums(data).Where(entry => !entry.EndsWith(".kintsugi-new", StringComparison.Ordinal) && !entry.EndsWith(Path.GetFileName(file), StringComparison.Ordinal));
            Assert.Empty(beside.Except(around));
            var again = await terminal.Run("snapshots", "restore", id, "-D", data);
            Assert.True(again.Code == ExitCodes.Sound, again.All);
            Assert.Equal(sound, await File.ReadAllBytesAsync(file, Stop));
            Assert.Empty(Directory.EnumerateFiles(data, "*.kintsugi-new", SearchOption.AllDirectories));
        }
        foreach (var kept in Snapshots(terminal))
            Assert.Equal(ExitCodes.Sound, (await terminal.Run("snapshots", "verify", kept)).Code);
        await database.Cluster.Start(Stop);
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
    }

    private static async Task Kill(Terminal terminal, string moment, params string[] command)
    {
        using var killed = KilledCommand.Start(terminal, moment, command);
        await killed.WaitForExitAsync(Stop);
        Assert.True(killed.ExitCode == KilledCommand.Killed, $"{moment}: exit {killed.ExitCode}");
    }

    /// <summary>Every file below it: its sum, then its name.</summary>
    private static IReadOnlyList<string> Sums(string directory) => [.. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
        .Select(path => $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)))} {Path.GetRelativePath(directory, path)}").Order(StringComparer.Ordinal)];

    private static string[] Snapshots(Terminal terminal) =>
        [.. Directory.EnumerateDirectories(Path.Combine(terminal.State, "snapshots")).Select(path => Path.GetFileName(path)!).Where(name => !name.StartsWith('.'))];
}
