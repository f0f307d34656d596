using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Cli.Tests;

/// <summary>A relation's files go back into their stopped cluster where no WAL has touched them since, and only there.</summary>
public sealed class SnapshotReturnTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Files_of_a_relation_go_back_and_come_back_and_never_over_what_was_written_since(int major)
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
        var snapshot = Assert.Single(Snapshots(terminal));
        await database.Execute("UPDATE genres SET slug = slug || '!'", Stop);
        var before = await database.Fingerprint(Stop);
        (await terminal.Run("snapshots", "restore", snapshot, "-D", data)).MustRefuse("not put back");
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var damaged = await File.ReadAllBytesAsync(file, Stop);
        damaged.AsSpan(8192 + 5000, 700).Fill(0x5A);
        await File.WriteAllBytesAsync(file, damaged, Stop);
        // As a killed run leaves it.
        await File.WriteAllTextAsync(file + ".kintsugi-new", "half a file", Stop);

        var back = await terminal.Run("snapshots", "restore", snapshot, "-D", data);

        Assert.True(back.Code == ExitCodes.Sound, back.All);
        var replaced = Assert.Single(Snapshots(terminal), id => id != snapshot);
        await database.Cluster.Start(Stop);
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var undone = await terminal.Run("snapshots", "restore", replaced, "-D", data);
        Assert.True(undone.Code == ExitCodes.Sound, undone.All);
        Assert.Equal(damaged, await File.ReadAllBytesAsync(file, Stop));
        Assert.Equal(ExitCodes.Sound, (await terminal.Run("snapshots", "restore", snapshot, "-D", data)).Code);
        Assert.Empty(Directory.EnumerateFiles(data, "*.kintsugi-new", SearchOption.AllDirectories));

        await database.Cluster.Start(Stop);
        await database.Execute("UPDATE movies SET minutes = minutes + 1 WHERE id = 5", Stop);
        var newer = await database.Fingerprint(Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        (await terminal.Run("snapshots", "restore", snapshot, "-D", data)).MustRefuse("these changes would be lost");
        await database.Cluster.Start(Stop);
        Assert.True(newer.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        await database.Execute("VACUUM FULL movies", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        (await terminal.Run("snapshots", "restore", snapshot, "-D", data)).MustRefuse("does not have the file");
    }

    private static string[] Snapshots(Terminal terminal) =>
        [.. Directory.EnumerateDirectories(Path.Combine(terminal.State, "snapshots")).Select(path => Path.GetFileName(path)!).Where(name => !name.StartsWith('.'))];
}
