using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Pages.Files;
using Kintsugi.Postgres.Checks.Storage.Cluster;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Repairs.Cluster;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Repairs.Cluster;

/// <summary>What a lost file held is compared with what it held.</summary>
public sealed class LostFilesTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Relation_maps_and_the_control_file_are_told_as_they_were(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        var data = database.Cluster.DataDirectory;
        var home = $"base/{await database.Scalar<uint>("SELECT oid FROM pg_database WHERE datname = current_database()", Stop)}";
        // A template whose catalogs were rewritten gives their files' numbers to its copies.
        await database.Cluster.Execute("template1", "VACUUM FULL pg_catalog.pg_class", Stop);
        await database.Cluster.Execute("postgres", "CREATE DATABASE younger TEMPLATE template1", Stop);
        var younger = $"base/{await database.Scalar<uint>("SELECT oid FROM pg_database WHERE datname = 'younger'", Stop)}";
        await database.Cluster.Stop(StopMode.Fast, Stop);

        foreach (var file in new[] { "global/pg_filenode.map", $"{home}/pg_filenode.map", $"{younger}/pg_filenode.map" })
        {
            var original = await Take(data, file);
            var told = Content(await new LostRelationMap(DataDirectory.Open(data)).Tell(file, Stop));
            Assert.Equal(Map(original).OrderBy(pair => pair.Key), Map(told).OrderBy(pair => pair.Key));
            Assert.Equal(original.Length, told.Length);
            await File.WriteAllBytesAsync(Path.Combine(data, file), original, Stop);
        }

        var before = Control(await Take(data, ControlFileExam.File));
        var after = Control(Content(await LostControlFile.Tell(DataDirectory.Open(data), Stop)));
        Assert.Equal(before with { Time = 0, StoredCrc = 0, ComputedCrc = 0 }, after with { Time = 0, StoredCrc = 0, ComputedCrc = 0 });
    }

    [Theory, MemberData(nameof(TestMajors.Wide), MemberType = typeof(TestMajors))]
    public async Task A_map_of_rewritten_catalogs_is_told_by_what_their_files_hold(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        var data = database.Cluster.DataDirectory;
        var file = $"base/{await database.Scalar<uint>("SELECT oid FROM pg_database WHERE datname = current_database()", Stop)}/pg_filenode.map";
        foreach (var statement in new[] { "VACUUM FULL pg_catalog.pg_class", "REINDEX TABLE pg_catalog.pg_attribute", "VACUUM FULL pg_catalog.pg_proc", "VACUUM FULL pg_catalog.pg_type",
            "REINDEX INDEX pg_catalog.pg_class_oid_index" })
            await database.Execute(statement, Stop);
        // Rows that came and went since, and changed where they lie.
        await database.Execute("CREATE TABLE late AS SELECT 1 AS a", Stop);
        await database.Execute("ALTER TABLE late RENAME COLUMN a TO b; ALTER TABLE late RENAME TO later; COMMENT ON TABLE later IS 'x'; DROP TABLE import_lines", Stop);
        await database.Execute("VACUUM pg_catalog.pg_class", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);

        var original = await Take(data, file);
        var told = Content(await new LostRelationMap(DataDirectory.Open(data)).Tell(file, Stop));

        // Two TOAST tables that are empty, and their indexes, are the same whichever has which file.
        uint[] toasts = [2836, 2837, 4171, 4172];
        var (before, after) = (Map(original), Map(told));
        Assert.Equal(before.Where(pair => !toasts.Contains(pair.Key)).OrderBy(pair => pair.Key), after.Where(pair => !toasts.Contains(pair.Key)).OrderBy(pair => pair.Key));
        Assert.Equal(before.Values.Order(), after.Values.Order());
        await File.WriteAllBytesAsync(Path.Combine(data, file), told, Stop);
        await database.Cluster.Start(Stop);
        Assert.Equal("later", await database.Scalar<string>("SELECT relname::text FROM pg_class WHERE relname = 'later'", Stop));
    }

    [Fact]
    public async Task A_map_of_a_rewritten_shared_catalog_and_a_cluster_that_crashed_are_left_to_a_person()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        var data = database.Cluster.DataDirectory;
        const string file = "global/pg_filenode.map";
        await database.Execute("VACUUM FULL pg_catalog.pg_database", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var original = await Take(data, file);

        var unknown = Assert.IsType<ClusterMend.Unknown>(await new LostRelationMap(DataDirectory.Open(data)).Tell(file, Stop));
        Assert.Contains("were rewritten since initdb", unknown.Reason, StringComparison.Ordinal);
        Assert.Contains("cp -p", unknown.Reason, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(Path.Combine(data, file), original, Stop);
        await database.Cluster.Start(Stop);
        await database.Cluster.Kill(Stop);
        var crashed = Assert.IsType<ClusterMend.Unknown>(await new LostRelationMap(DataDirectory.Open(data)).Tell(file, Stop));
        Assert.Contains("not stopped cleanly", crashed.Reason, StringComparison.Ordinal);
        File.Delete(Path.Combine(data, "pg_wal", Path.GetFileName(Directory.GetFiles(Path.Combine(data, "pg_wal"), "0*").Order(StringComparer.Ordinal).First())));
        await File.WriteAllTextAsync(Path.Combine(data, "backup_label"), "", Stop);
        Assert.Contains("backup_label", Assert.IsType<ClusterMend.Unknown>(await LostControlFile.Tell(DataDirectory.Open(data), Stop)).Reason, StringComparison.Ordinal);
    }

    private static async Task<byte[]> Take(string data, string file)
    {
        var path = Path.Combine(data, file);
        var bytes = await File.ReadAllBytesAsync(path, Stop);
        File.Delete(path);
        return bytes;
    }

    private static byte[] Content(ClusterMend mend) =>
        mend is ClusterMend.Content content ? content.Bytes : throw new InvalidOperationException($"{mend}");

    private static IReadOnlyDictionary<uint, uint> Map(byte[] bytes)
    {
        var flaws = new List<Flaw>();
        var map = RelationMap.Read(bytes, flaws)!;
        Assert.Empty(flaws);
        return map.Files;
    }

    private static ControlFile Control(byte[] bytes)
    {
        var flaws = new List<Flaw>();
        var control = ControlFile.Read(bytes, flaws)!;
        Assert.Empty(flaws);
        Assert.Equal(ControlFile.FileSize, bytes.Length);
        return control;
    }
}
