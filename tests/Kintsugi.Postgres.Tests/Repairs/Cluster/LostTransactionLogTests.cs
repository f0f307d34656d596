using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Repairs.Cluster;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Repairs.Cluster;

/// <summary>pg_xact of a stopped cluster is written anew where every transaction that a row depends on left a trace of its end, and only there.</summary>
public sealed class LostTransactionLogTests(Servers servers)
{
    private const string File = "pg_xact/0000";
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Ends of every kind, which nobody has looked at: no row of it has a hint.</summary>
    private static readonly string[] Ends =
    [
        "CREATE TABLE ends (id integer, v text)",
        "INSERT INTO ends SELECT i, 'kept' FROM generate_series(1, 100) i",
        "BEGIN; INSERT INTO ends SELECT i, 'rolled back' FROM generate_series(101, 150) i; ROLLBACK",
        "BEGIN; INSERT INTO ends VALUES (201, 'kept'); SAVEPOINT a; INSERT INTO ends VALUES (202, 'sub, kept'); RELEASE a; SAVEPOINT b; "
            + "INSERT INTO ends VALUES (203, 'sub, rolled back'); ROLLBACK TO b; COMMIT",
    ];

    private static readonly string[] Changes =
    [
        "DELETE FROM ends WHERE id <= 10",
        "BEGIN; DELETE FROM ends WHERE id BETWEEN 11 AND 20; ROLLBACK",
        "UPDATE ends SET v = 'newer' WHERE id = 50",
    ];

    private const string Rows = "SELECT string_agg(id || v, ',' ORDER BY id) FROM ends";

    private static string Expected { get; } = string.Join(',',
        [.. Enumerable.Range(11, 90).Select(i => $"{i}{(i == 50 ? "newer" : "kept")}"), "201kept", "202sub, kept"]);

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_lost_segment_is_told_by_hints_and_by_the_WAL_after_a_stop_and_after_a_crash(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        var data = database.Cluster.DataDirectory;
        // VACUUM leaves hints in all rows: the WAL of the sample's own is gone.
        await database.Execute("VACUUM", Stop);
        var before = await database.Fingerprint(Stop);
        foreach (var statement in Ends.Concat(Changes))
            await database.Execute(statement, Stop);
        await using (var open = await database.Cluster.Connect(database.Name, Stop))
        {
            // What the crash cuts off was on disk already.
            await using var command = new Npgsql.NpgsqlCommand("BEGIN; INSERT INTO ends VALUES (301, 'never ended')", open);
            await command.ExecuteNonQueryAsync(Stop);
            await database.Execute("CHECKPOINT", Stop);
            await database.Cluster.Kill(Stop);
        }

        await Mend(data, bytes => null);
        await database.Cluster.Start(Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        // A page of zeros in it, after a clean stop.
        await Mend(data, bytes => [.. new byte[PageFormat.Size], .. bytes[PageFormat.Size..]]);
        await database.Cluster.Start(Stop);

        Assert.Equal(Expected, await database.Scalar<string>(Rows, Stop));
        await database.Execute("VACUUM (FREEZE) ends", Stop);
        Assert.Equal(Expected, await database.Scalar<string>(Rows, Stop));
        // An unlogged table is empty after a crash.
        Assert.True(before.CompareWith(await database.Fingerprint(Stop), "\"public\".\"ends\"", "\"public\".\"playback_sessions\"").IsEmpty);
    }

    [Fact]
    public async Task What_left_no_trace_goes_to_a_person_with_what_each_answer_would_do()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var data = database.Cluster.DataDirectory;
        await database.Execute(Ends[0], Stop);
        foreach (var name in new[] { database.Name, "postgres", "template1" })
            await database.Cluster.Execute(name, "VACUUM (FREEZE)", Stop);
        var xid = await database.Scalar<string>("WITH added AS (INSERT INTO ends SELECT i, 'kept' FROM generate_series(11, 100) i) SELECT pg_current_xact_id()::text", Stop);
        await database.Execute(Ends[3], Stop);
        var expected = Expected.Replace("50newer", "50kept", StringComparison.Ordinal);
        await ForgetWal(database);
        var original = await System.IO.File.ReadAllBytesAsync(Path.Combine(data, File), Stop);
        System.IO.File.Delete(Path.Combine(data, File));

        var unknown = Assert.IsType<ClusterMend.Unknown>(await new LostTransactionLog(DataDirectory.Open(data), File).Tell(Stop));

        Assert.Contains("left no trace of their end", unknown.Reason, StringComparison.Ordinal);
        Assert.Contains($"{xid} (taken as committed, 90 row versions show", unknown.Reason, StringComparison.Ordinal);

        // One reader is enough: what he saw stands in the rows.
        await Put(data, original);
        await database.Cluster.Start(Stop);
        Assert.Equal(expected, await database.Scalar<string>(Rows, Stop));
        await ForgetWal(database);
        await Mend(data, bytes => null);
        await database.Cluster.Start(Stop);
        Assert.Equal(expected, await database.Scalar<string>(Rows, Stop));
        await database.Execute("VACUUM (FREEZE)", Stop);

        await database.Cluster.Stop(StopMode.Fast, Stop);
        await System.IO.File.WriteAllTextAsync(Path.Combine(data, "pg_twophase/00000000000003F0"), "", Stop);
        Assert.Contains("PREPARE", Assert.IsType<ClusterMend.Unknown>(await new LostTransactionLog(DataDirectory.Open(data), File).Tell(Stop)).Reason, StringComparison.Ordinal);
    }

    /// <summary>Stops the server with nothing in pg_wal but the last checkpoint.</summary>
    private static async Task ForgetWal(TestDatabase database)
    {
        await database.Execute("SELECT pg_switch_wal()", Stop);
        await database.Execute("CHECKPOINT", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var last = DataDirectory.Open(database.Cluster.DataDirectory).Control!;
        using var wal = new WalFiles(database.Cluster.DataDirectory, (int)last.WalSegmentSize, last.Timeline);
        foreach (var segment in Directory.EnumerateFiles(Path.Combine(database.Cluster.DataDirectory, "pg_wal"), "0*")
            .Where(segment => Path.GetFileName(segment) != wal.NameOf(last.Checkpoint)).ToList())
            System.IO.File.Delete(segment);
    }

    /// <param name="data">The stopped cluster.</param>
    /// <param name="injure">What the file becomes; null to lose it.</param>
    private static async Task Mend(string data, Func<byte[], byte[]?> injure)
    {
        var path = Path.Combine(data, File);
        var injured = injure(await System.IO.File.ReadAllBytesAsync(path, Stop));
        System.IO.File.Delete(path);
        if (injured is not null)
            await System.IO.File.WriteAllBytesAsync(path, injured, Stop);
        var mend = await new LostTransactionLog(DataDirectory.Open(data), File).Tell(Stop);
        var content = mend as ClusterMend.Content ?? throw new InvalidOperationException($"{mend}");
        await Put(data, content.Bytes);
    }

    private static async Task Put(string data, byte[] bytes)
    {
        var path = Path.Combine(data, File);
        await System.IO.File.WriteAllBytesAsync(path, bytes, Stop);
        System.IO.File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (Environment.IsPrivilegedProcess)
            await Operating.Stopped.ClusterOwner.Take(path, data, Stop);
    }
}
