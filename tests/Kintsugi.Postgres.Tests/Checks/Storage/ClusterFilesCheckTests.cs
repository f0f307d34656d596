using Kintsugi.Lab;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Storage;

public sealed class ClusterFilesCheckTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task A_sound_cluster_is_sound_running_stopped_and_after_a_crash_on_every_major(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute(
            "INSERT INTO genres (id, slug) SELECT 1000 + n, 'g' || n FROM pg_catalog.generate_series(1, 500) n", Stop);

        var running = await StorageWard.Examine(database, Stop, only: "cluster-files");
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var stopped = await StorageWard.ExamineStopped(database, Stop, "cluster-files", "pages", "shared-pages", "heap-pages");
        await database.Cluster.Start(Stop);
        await database.Execute("UPDATE movies SET minutes = minutes + 1", Stop);
        await database.Cluster.Kill(Stop);
        var crashed = await StorageWard.ExamineStopped(database, Stop, "cluster-files");
        await database.Cluster.Start(Stop);
        var recovered = await StorageWard.Examine(database, Stop, only: ["cluster-files", "pages", "shared-pages"]);

        foreach (var report in new[] { running, stopped, crashed, recovered })
        {
            Assert.Empty(report.Findings);
            Assert.Equal(0, report.Count<Verdict.Unchecked>());
        }
        Assert.Contains(stopped.Examinations, e => e
            is { Target: { Database: "media", Schema: "public", Object: "movies_pkey" }, Verdict: Verdict.Sound });
        Assert.Contains(stopped.Examinations, e => e.Target.Database == "template0");
        // Tuples are held against their columns, which pg_attribute's own pages tell.
        Assert.Contains(stopped.Examinations, e => e is { Check: "heap-pages", Target: { Database: "media", Object: "movies" }, Verdict: Verdict.Sound });
    }

    [Theory, InlineData("global/pg_control", 60), InlineData("global/pg_filenode.map", 20),
        InlineData("base/DB/pg_filenode.map", 20),
        InlineData("base/DB/PG_VERSION", 0), InlineData("PG_VERSION", 1)]
    public async Task A_flipped_bit_in_a_file_of_the_cluster_is_found_in_that_file(string file, int at)
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        file = await Path(database, file);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var path = System.IO.Path.Combine(database.Cluster.DataDirectory, file);
        var bytes = await File.ReadAllBytesAsync(path, Stop);
        bytes[at] ^= 1;
        await File.WriteAllBytesAsync(path, bytes, Stop);

        var finding = Assert.Single((await StorageWard.ExamineStopped(database, Stop, "cluster-files")).Findings);

        Assert.Equal(("cluster-file-corrupt", file), (finding.Fault.Id, finding.Target.Object));
        Assert.NotNull(finding.Hint);
    }

    [Theory, InlineData("global/pg_control", "cluster-file-corrupt"), InlineData("base/DB/PG_VERSION", "cluster-file-corrupt"),
        InlineData("base/DB/pg_filenode.map", "cluster-file-corrupt"), InlineData("pg_xact/0000", "transaction-status-missing"),
        InlineData("pg_wal/CHECKPOINT", "cluster-file-corrupt")]
    public async Task A_missing_file_of_the_cluster_is_found_without_a_server(string file, string fault)
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        file = await Path(database, file);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        File.Delete(System.IO.Path.Combine(database.Cluster.DataDirectory, file));

        var report = await StorageWard.ExamineStopped(database, Stop, "cluster-files");

        Assert.Equal([(fault, file, null, null)], report.Places());
    }

    [Fact]
    public async Task A_running_server_is_told_of_a_missing_version_file_and_of_a_lost_commit_log()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var version = await Path(database, "base/DB/PG_VERSION");
        await database.Execute("CHECKPOINT", Stop);
        File.Delete(System.IO.Path.Combine(database.Cluster.DataDirectory, version));
        using (var handle = File.OpenHandle(System.IO.Path.Combine(database.Cluster.DataDirectory, "pg_xact/0000"),
            access: FileAccess.ReadWrite, share: FileShare.ReadWrite))
            RandomAccess.SetLength(handle, 0);

        // The server refuses to enter that database now: the report comes from another.
        var report = await StorageWard.Examine(database, Stop, from: "postgres", only: "cluster-files");

        Assert.Equal([("cluster-file-corrupt", version, null, null), ("transaction-status-missing", "pg_xact/0000", null, null)],
            report.Places());
        Assert.Equal("media", report.Findings[0].Target.Database);
    }

    [Fact]
    public async Task What_is_no_data_directory_is_refused_with_one_clear_message()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var data = database.Cluster.DataDirectory;

        Assert.Contains("no directory", Refusal("/nonexistent/data"), StringComparison.Ordinal);
        Assert.Contains("not a data directory", Refusal(System.IO.Path.Combine(data, "pg_wal")), StringComparison.Ordinal);
        await File.WriteAllTextAsync(System.IO.Path.Combine(data, "PG_VERSION"), "9.6\n", Stop);
        File.Move(System.IO.Path.Combine(data, "global/pg_control"), System.IO.Path.Combine(data, "global/aside"));
        Assert.Equal(database.Major, DataDirectory.Open(data).Major);
        Directory.Move(System.IO.Path.Combine(data, "pg_wal"), System.IO.Path.Combine(data, "aside"));
        Assert.Contains("tells no version", Refusal(data), StringComparison.Ordinal);
    }

    private static string Refusal(string path) => Assert.Throws<DataDirectoryException>(() => DataDirectory.Open(path)).Message;

    private static async Task<string> Path(TestDatabase database, string file)
    {
        if (file == "pg_wal/CHECKPOINT")
        {
            await database.Cluster.Stop(StopMode.Fast, Stop);
            await database.Cluster.Start(Stop);
            await database.Execute("CHECKPOINT", Stop);
            await database.Cluster.Stop(StopMode.Fast, Stop);
            return "pg_wal/" + WalFileOf(DataDirectory.Open(database.Cluster.DataDirectory));
        }
        var oid = await database.Scalar<uint>("SELECT oid FROM pg_catalog.pg_database WHERE datname = 'media'", Stop);
        return file.Replace("DB", $"{oid}", StringComparison.Ordinal);
    }

    private static string WalFileOf(DataDirectory directory)
    {
        var control = directory.Control!;
        var segment = control.Checkpoint / control.WalSegmentSize;
        var perId = 0x100000000ul / control.WalSegmentSize;
        return $"{control.Timeline:X8}{segment / perId:X8}{segment % perId:X8}";
    }
}
