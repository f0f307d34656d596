using Kintsugi.Postgres.Checks.Indexes;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Indexes;

/// <summary>Indexes that were built since the last checkpoint, larger than shared buffers: some of their pages are in the file, others not yet.</summary>
public sealed class FreshIndexTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task What_was_built_and_not_yet_written_out_is_not_accused(int major)
    {
        await using var database = await servers.Cluster(major, new Kintsugi.Lab.ClusterOptions
        {
            Settings = new Dictionary<string, string> { ["shared_buffers"] = "1MB", ["max_wal_size"] = "4GB" },
        }, Stop);
        await database.Execute("CREATE TABLE fresh (id int, area box, words text[], name text)", Stop);
        await database.Execute("CHECKPOINT", Stop);
        // In no order: a page that is full is divided again and again, while others leave the buffers.
        await database.Execute("INSERT INTO fresh SELECT i, box(point(hashint4(i) % 9973, i % 991), point(hashint4(i) % 9973 + 1, i % 991 + 1)), ARRAY[md5(i::text), 'w' || i % 500], "
            + "md5(i::text) FROM generate_series(1, 30000) i", Stop);
        foreach (var index in new[] { "gist (area)", "gin (words)", "spgist (name)", "btree (name)", "hash (id)", "brin (id)" })
            await database.Execute($"CREATE INDEX ON fresh USING {index}", Stop);

        var report = await Ward.Examine(database, new IndexEntriesCheck(TimeProvider.System), Depth.Standard, Stop);

        Assert.Equal([], report.Findings.Select(finding => $"{finding.Target.Name}: {finding.Evidence}"));
        Assert.Contains(report.Examinations, seen => seen.Target.Relation == "fresh" && seen.Verdict is Verdict.Sound);
        await database.Execute("CHECKPOINT", Stop);
        Ward.AssertSound(await Ward.Examine(database, new IndexEntriesCheck(TimeProvider.System), Depth.Standard, Stop));
    }
}
