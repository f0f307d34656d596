using Kintsugi.Lab;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating.Stopped;
using Kintsugi.Postgres.Repairs.Cluster;
using Kintsugi.Postgres.Tests.Fixtures;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Repairs.Cluster;

/// <summary>pg_multixact of a stopped cluster is written anew where its rows only locked; a row that was updated under a shared lock goes to a person.</summary>
public sealed class LostMultiXactTests(Servers servers)
{
    private static readonly string[] Files = ["pg_multixact/offsets/0000", "pg_multixact/members/0000"];
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Wide), MemberType = typeof(TestMajors))]
    public async Task Segments_of_locks_alone_are_written_anew_and_those_of_updates_are_told_row_by_row(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        var data = database.Cluster.DataDirectory;
        await database.Execute("CREATE TABLE held AS SELECT n AS id, 'as it was' AS v FROM generate_series(1, 50) n", Stop);
        await database.Execute("ALTER TABLE held ADD PRIMARY KEY (id)", Stop);
        // Two at once make a multixact.
        await Both(database, "SELECT * FROM held FOR SHARE", "SELECT * FROM held FOR SHARE");
        var before = await database.Fingerprint(Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        foreach (var file in Files)
            await Mend(data, file);
        await database.Cluster.Start(Stop);
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        // What the server writes, locks and freezes then stands on the new segments.
        await Both(database, "SELECT * FROM held WHERE id > 40 FOR KEY SHARE", "UPDATE held SET v = 'newer' WHERE id > 45");
        await database.Execute("DELETE FROM held WHERE id <= 5", Stop);
        Assert.Equal("as it was 40, newer 5", await Told(database));
        var table = Path.Combine(data, (await database.Scalar<string>("SELECT pg_relation_filepath('held')", Stop))!);
        await database.Cluster.Stop(StopMode.Fast, Stop);

        foreach (var file in Files)
        {
            var original = await File.ReadAllBytesAsync(Path.Combine(data, file), Stop);
            File.Delete(Path.Combine(data, file));
            var unknown = Assert.IsType<ClusterMend.Unknown>(await new LostMultiXact(DataDirectory.Open(data), file).Tell(Stop));
            Assert.Contains(file.Contains("offsets", StringComparison.Ordinal) ? "multixacts that updated or deleted rows"
                : "5 row versions, the first in block 0 of base/", unknown.Reason, StringComparison.Ordinal);
            // What lies in a file that cannot be seen at the moment asks for it all the same: the volume of a tablespace that is not mounted.
            File.Move(table, table + ".away");
            unknown = Assert.IsType<ClusterMend.Unknown>(await new LostMultiXact(DataDirectory.Open(data), file).Tell(Stop));
            Assert.Contains("public.held in base/", unknown.Reason, StringComparison.Ordinal);
            File.Move(table + ".away", table);
            await File.WriteAllBytesAsync(Path.Combine(data, file), original, Stop);
        }
    }

    private static Task<string?> Told(TestDatabase database) =>
        database.Scalar<string>("SELECT string_agg(v || ' ' || n, ', ' ORDER BY v) FROM (SELECT v, count(*) AS n FROM held GROUP BY v) s", Stop);

    private static async Task Mend(string data, string file)
    {
        var path = Path.Combine(data, file);
        var length = new FileInfo(path).Length;
        File.Delete(path);
        var mend = await new LostMultiXact(DataDirectory.Open(data), file).Tell(Stop);
        var content = mend as ClusterMend.Content ?? throw new InvalidOperationException($"{mend}");
        Assert.Equal(length, content.Bytes.Length);
        await ClusterFileStep.Run(new Step(ClusterFileStep.Name, "write")
        {
            Lock = "none",
            Why = "a test",
            Arguments = new Dictionary<string, string>
            {
                ["path"] = file, ["action"] = ClusterFileStep.Write, ["content"] = Convert.ToBase64String(content.Bytes), ["before"] = ClusterFileStep.SumOf(path),
            },
        }, data, Stop);
    }

    private static async Task Both(TestDatabase database, string first, string second)
    {
        await using var one = await database.Cluster.Connect(database.Name, Stop);
        await using var other = await database.Cluster.Connect(database.Name, Stop);
        foreach (var (connection, sql) in new[] { (one, "BEGIN; " + first), (other, "BEGIN; " + second), (other, "COMMIT"), (one, "COMMIT") })
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(Stop);
        }
    }
}
