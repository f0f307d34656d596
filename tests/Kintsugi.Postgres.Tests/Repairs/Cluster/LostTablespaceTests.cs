using Kintsugi.Lab;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Operating.Stopped;
using Kintsugi.Postgres.Repairs.Cluster;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Repairs.Cluster;

/// <summary>A lost link of pg_tblspc leads again to the one directory that holds what the catalogs have there; an older copy of it, or two of them, go to a person.</summary>
public sealed class LostTablespaceTests(Servers servers) : IDisposable
{
    private readonly string place = Directory.CreateTempSubdirectory("kintsugi-space-").FullName;
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(place, recursive: true);

    [Theory, MemberData(nameof(TestMajors.Wide), MemberType = typeof(TestMajors))]
    public async Task The_only_directory_that_holds_its_files_is_linked_and_copies_of_it_are_told_to_a_person(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        var data = database.Cluster.DataDirectory;
        await database.Execute("ALTER SYSTEM SET wal_keep_size = '256MB'", Stop);
        await database.Execute("SELECT pg_reload_conf()", Stop);
        string full = Path.Combine(place, "fast"), bare = Path.Combine(place, "bare"), old = Path.Combine(place, "backup");
        foreach (var folder in new[] { full, bare })
        {
            Directory.CreateDirectory(folder);
            await Run("chown", $"--reference={data}", folder);
            await Run("chmod", "a+x", place);
            await database.Execute($"CREATE TABLESPACE {Path.GetFileName(folder)} LOCATION '{folder}'", Stop);
        }
        await database.Execute("CREATE TABLE spaced TABLESPACE fast AS SELECT n AS id, md5(n::text) AS body FROM generate_series(1, 3000) n", Stop);
        await database.Execute("CREATE INDEX spaced_id ON spaced (id) TABLESPACE fast", Stop);
        await database.Execute("CREATE DATABASE own TABLESPACE fast", Stop);
        await database.Execute("CHECKPOINT", Stop);
        await Run("cp", "-a", full, old);
        await database.Execute("UPDATE spaced SET body = 'later' WHERE id <= 500", Stop);
        var before = await database.Fingerprint(Stop);
        var (first, second) = (await Oid(database, "fast"), await Oid(database, "bare"));
        await database.Cluster.Stop(StopMode.Fast, Stop);
        foreach (var link in new[] { first, second })
            File.Delete(Path.Combine(data, link));
        // Also where these were all the links that there were.
        var accused = (await StorageWard.ExamineStopped(database, Stop, "cluster-files")).Findings.Select(finding => finding.Facts["path"]).ToList();
        Assert.Contains(first, accused);
        Assert.Contains(second, accused);

        var several = Assert.IsType<ClusterMend.Unknown>(await Tell(data, first));
        Assert.Contains($"Found: {old}, {full}", several.Reason, StringComparison.Ordinal);
        Directory.Move(full, full + ".away");
        File.SetAttributes(full + ".away", FileAttributes.Directory);
        await Run("mv", $"{full}.away/PG_{major}_{Catalog(data)}", Path.Combine(place, "hidden"));
        var stale = Assert.IsType<ClusterMend.Unknown>(await Tell(data, first));
        Assert.Contains("is an older copy", stale.Reason, StringComparison.Ordinal);
        Assert.Contains("ln -s", stale.Reason, StringComparison.Ordinal);
        await Run("mv", Path.Combine(place, "hidden"), $"{full}.away/PG_{major}_{Catalog(data)}");
        Directory.Move(full + ".away", full);
        Directory.Delete(old, recursive: true);

        Assert.Equal(full, Target(await Tell(data, first)));
        Assert.Equal(bare, Target(await Tell(data, second)));
        foreach (var (link, target) in new[] { (first, full), (second, bare) })
            await ClusterFileStep.Run(Step(data, link, target), data, Stop);
        await database.Cluster.Start(Stop);
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        // The cluster goes before the directory does.
        await database.Execute("DROP DATABASE own", Stop);
    }

    private static string Target(ClusterMend mend) => mend is ClusterMend.Link link ? link.Target : throw new InvalidOperationException($"{mend}");

    private static Step Step(string data, string link, string target) => new(ClusterFileStep.Name, "link")
    {
        Lock = "none",
        Why = "a test",
        Arguments = new Dictionary<string, string>
        {
            ["path"] = link, ["action"] = ClusterFileStep.Link, ["target"] = target, ["before"] = ClusterFileStep.SumOf(Path.Combine(data, link)),
        },
    };

    private static ValueTask<ClusterMend> Tell(string data, string link) => new LostTablespace(DataDirectory.Open(data)).Tell(link, Stop);

    private static uint Catalog(string data) => DataDirectory.Open(data).Control!.CatalogVersion;

    private static async Task<string> Oid(TestDatabase database, string name) =>
        $"pg_tblspc/{await database.Scalar<uint>($"SELECT oid FROM pg_tablespace WHERE spcname = '{name}'", Stop)}";

    private static async Task Run(params string[] command) => await ExternalCommand.Require([.. command], Stop);
}
