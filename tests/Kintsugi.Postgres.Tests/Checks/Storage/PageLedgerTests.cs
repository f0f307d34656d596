using Kintsugi.Lab;
using Kintsugi.Pages;
using Kintsugi.Postgres.Checks.Storage;
using Kintsugi.Postgres.Files.Offline;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Postgres.Tests.Checks.Storage;

/// <summary>Pages that are older than they were: lost writes, and all that looks like one.</summary>
public sealed class PageLedgerTests(Servers servers) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kintsugi-pages-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private PageLedgerFile Ledger => new(Path.Combine(folder, "pages.db"), TimeProvider.System);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task An_old_copy_of_a_page_is_found_although_its_checksum_is_right(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("CREATE TABLE lost AS SELECT x, 0 AS v FROM pg_catalog.generate_series(1, 2000) x; CREATE TABLE beside AS TABLE lost", Stop);
        var file = await StorageWard.FileOf(database, "lost", Stop);
        var old = StorageWard.ReadPage(file, 3);
        await database.Execute("UPDATE lost SET v = 1; UPDATE beside SET v = 1", Stop);
        await database.Execute("CHECKPOINT", Stop);
        AssertSound(await Running(database));
        await database.Execute("CHECKPOINT", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        Assert.NotEqual(PageHeader.Read(old).Lsn, PageHeader.Read(StorageWard.ReadPage(file, 3)).Lsn);
        StorageWard.WritePage(file, 3, old);

        // Twice: what is wrong is not learned.
        for (var look = 0; look < 2; look++)
        {
            var report = await Stopped(database);
            Assert.Equal([("page-stale", "lost", "main", 3L)], report.Places());
            Assert.Contains("this page alone is of an earlier time", report.Findings[0].Evidence, StringComparison.Ordinal);
        }
        await database.Cluster.Start(Stop);
        Assert.Equal([("page-stale", "lost", "main", 3L)], (await Running(database)).Places());
        // Without a memory nobody can know.
        Assert.Empty((await StorageWard.Examine(database, Stop)).Findings);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_data_directory_that_was_put_back_and_lived_on_is_not_accused(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await database.Execute("CREATE TABLE again AS SELECT x, 0 AS v FROM pg_catalog.generate_series(1, 3000) x", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        var data = database.Cluster.DataDirectory;
        var copy = Path.Combine(folder, "copy");
        CopyFiles(data, copy);
        await database.Cluster.Start(Stop);
        await database.Execute("UPDATE again SET v = 1; CREATE TABLE gone AS TABLE again", Stop);
        await database.Execute("CHECKPOINT", Stop);
        AssertSound(await Running(database));

        await database.Cluster.Stop(StopMode.Fast, Stop);
        CopyFiles(copy, data);
        await servers.Laboratory.Account.Own(data, Stop);
        await database.Cluster.Start(Stop);
        // The WAL passes the place where it was, on the same timeline.
        await database.Execute("CREATE TABLE other AS SELECT x, pg_catalog.repeat('o', 200) AS o FROM pg_catalog.generate_series(1, 30000) x", Stop);
        await database.Execute("CHECKPOINT", Stop);
        await database.Execute("CHECKPOINT", Stop);

        var report = await Running(database);

        Assert.Empty(report.Findings);
        Assert.Contains(report.Examinations, it => it.Verdict is Verdict.Unchecked { Reason: var why } && why.Contains("put back to an earlier state", StringComparison.Ordinal));
        // Told once; then the pages are known as they are.
        AssertSound(await Running(database));
    }

    [Fact]
    public async Task What_rewrites_truncates_and_builds_is_not_accused_and_the_unchanged_stands()
    {
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await database.Execute("CREATE TABLE shrinks AS SELECT x, 0 AS v FROM pg_catalog.generate_series(1, 20000) x; CREATE INDEX shrinks_x ON shrinks (x); "
            + "CREATE TABLE full_one AS TABLE shrinks; CREATE TABLE cut AS TABLE shrinks; CREATE UNLOGGED TABLE light AS TABLE shrinks; "
            + "CREATE TABLE still AS TABLE shrinks; CREATE SEQUENCE counts", Stop);
        await database.Execute("VACUUM", Stop);
        await database.Execute("CHECKPOINT", Stop);
        AssertSound(await Running(database));
        var first = await Stands(database, "still");
        foreach (var statement in (string[])["DELETE FROM shrinks WHERE x > 100", "VACUUM shrinks", "INSERT INTO shrinks SELECT x, 1 FROM pg_catalog.generate_series(1, 9000) x",
            "VACUUM FULL full_one", "TRUNCATE cut", "INSERT INTO cut SELECT x, 2 FROM pg_catalog.generate_series(1, 5000) x", "UPDATE light SET v = 3", "REINDEX INDEX shrinks_x",
            "ALTER TABLE light SET LOGGED", "SELECT nextval('counts')", "CHECKPOINT"])
            await database.Execute(statement, Stop);

        AssertSound(await Running(database));
        var after = await Stands(database, "still");
        Assert.Equal(first.Since, after.Since);
        Assert.True(after.Seen > first.Seen);
        Assert.True((await Stands(database, "shrinks")).Since > first.Since);
        await database.Cluster.Stop(StopMode.Immediate, Stop);
        await database.Cluster.Start(Stop);
        AssertSound(await Running(database));
    }

    private static void AssertSound(ScrubReport report) => Ward.AssertSound(report);

    private async Task<ScrubReport> Running(TestDatabase database)
    {
        await using var factory = StorageWard.Factory(database);
        var source = await PatientSource.Connect(factory, [database.Name], null, null, new Pace(null, TimeProvider.System), Stop);
        source.PageLedger = Ledger;
        return await StorageWard.Examine(source, Stop);
    }

    private async Task<ScrubReport> Stopped(TestDatabase database)
    {
        var source = await OfflineSource.Open(database.Cluster.DataDirectory, new Pace(null, TimeProvider.System), Stop);
        source.PageLedger = Ledger;
        return await StorageWard.Examine(source, Stop);
    }

    private async Task<FileStand> Stands(TestDatabase database, string table)
    {
        var path = await database.Scalar<string>($"SELECT pg_catalog.pg_relation_filepath('{table}')", Stop);
        var identifier = await database.Scalar<string>("SELECT system_identifier::text FROM pg_catalog.pg_control_system()", Stop);
        return (await Ledger.Stands(PageHistory.ClusterOf(identifier!, database.Cluster.DataDirectory), Stop))[path!];
    }

    /// <summary>The files as they are there, in place of those that are here; whatever stood here beside them goes.</summary>
    private static void CopyFiles(string from, string to)
    {
        var keep = Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(from, file)).ToHashSet();
        if (Directory.Exists(to))
            foreach (var file in Directory.EnumerateFiles(to, "*", SearchOption.AllDirectories).Where(file => !keep.Contains(Path.GetRelativePath(to, file))))
                File.Delete(file);
        foreach (var file in keep)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(to, file))!);
            var target = Path.Combine(to, file);
            if (File.Exists(target))
            {
                // Written into the file that is there, so that it stays its owner's.
                using var source = File.OpenRead(Path.Combine(from, file));
                using var here = File.Open(target, FileMode.Truncate);
                source.CopyTo(here);
            }
            else
                File.Copy(Path.Combine(from, file), target);
        }
    }
}
