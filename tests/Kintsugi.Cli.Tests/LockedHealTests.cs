using Kintsugi.Cli.Tests.Fixtures;
using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;
using Npgsql;

namespace Kintsugi.Cli.Tests;

/// <summary>An index of the catalogs is damaged so that nobody connects: it is rebuilt past the system indexes, and everybody gets in again.</summary>
public sealed class LockedHealTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Catalog_indexes_that_keep_everybody_out_are_rebuilt_and_no_row_changes(int major)
    {
        using var terminal = new Terminal();
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("ALTER SYSTEM SET work_mem = '5MB'", Stop);
        var before = await database.Fingerprint(Stop);
        foreach (var indexes in new[] { new[] { "pg_class_oid_index", "pg_attribute_relid_attnum_index" }, ["pg_database_datname_index", "pg_authid_rolname_index"] })
        {
            await Damage(database, indexes, Scramble);
            // The first session after a start reads the shared catalogs from end to end, and leaves a cache with which the next go by their indexes.
            await Record.ExceptionAsync(() => database.Scalar<int>("SELECT 1", Stop));
            await Assert.ThrowsAsync<PostgresException>(() => database.Scalar<int>("SELECT 1", Stop));

            var healed = await terminal.Run(["heal", .. Terminal.Door(database), "-d", database.Name, "--yes", "--only", "pages", "--only", "shared-pages", "--format", "json"]);

            Assert.True(healed.Code is ExitCodes.Sound, healed.All);
            Assert.Equal(indexes.Order(StringComparer.Ordinal), healed.Json.GetProperty("cases").EnumerateArray()
                .Where(one => one.GetProperty("outcome").GetString() == "healed").Select(one => one.GetProperty("object").GetString()).Order(StringComparer.Ordinal));
            var (was, now) = (before, await database.Fingerprint(Stop));
            Assert.True(was.CompareWith(now).IsEmpty, was.CompareWith(now).ToString());
            var settings = await File.ReadAllTextAsync(Path.Combine(database.Cluster.DataDirectory, "postgresql.auto.conf"), Stop);
            Assert.DoesNotContain("ignore_system_indexes", settings, StringComparison.Ordinal);
            Assert.Contains("work_mem = '5MB'", settings, StringComparison.Ordinal);
            Assert.Equal("off", await database.Scalar<string>("SHOW ignore_system_indexes", Stop));
        }
    }

    private static async Task Damage(TestDatabase database, IReadOnlyList<string> indexes, Action<string> strike)
    {
        var files = new List<string>();
        foreach (var index in indexes)
            files.Add(Path.Combine(database.Cluster.DataDirectory, (await database.Scalar<string>($"SELECT pg_relation_filepath('{index}')", Stop))!));
        await database.Cluster.Stop(StopMode.Fast, Stop);
        foreach (var file in files)
            strike(file);
        await database.Cluster.Start(Stop);
    }

    /// <summary>A sector of every page behind the first holds other bytes: each fails its checksum.</summary>
    private static void Scramble(string file)
    {
        var bytes = File.ReadAllBytes(file);
        for (var page = 8192; page < bytes.Length; page += 8192)
            bytes.AsSpan(page + 4096, 512).Fill(0x5A);
        File.WriteAllBytes(file, bytes);
    }
}
