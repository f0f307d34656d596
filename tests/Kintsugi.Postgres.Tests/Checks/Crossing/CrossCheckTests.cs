using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Checks.Storage;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Crossing;

/// <summary>Heap against btrees from the files of a stopped cluster.</summary>
public sealed class CrossCheckTests(Servers servers)
{
    private const string Check = "cross-check";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Every_wound_is_found_at_its_place_and_no_neighbour_is_accused(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        var ward = await CrossWard.Prepare(database, Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        Assert.Empty((await StorageWard.ExamineStopped(database, Stop, Check)).Findings);
        ward.Wound();

        var report = await StorageWard.ExamineStopped(database, Stop, Check);

        Assert.Equal(ward.Expected.Order(), report.Findings.Select(finding => $"{finding.Fault.Id} {finding.Target.Object}").Distinct().Order());
        foreach (var (wound, words) in ward.Words)
            Assert.Contains(report.Findings, finding => finding.Target.Object!.StartsWith(wound, StringComparison.Ordinal)
                && finding.Evidence.Contains(words, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task A_sound_database_that_has_lived_is_not_accused(int major)
    {
        await using var database = await servers.Cluster(major, Stop);
        await Live(database);
        await database.Cluster.Stop(StopMode.Fast, Stop);

        var report = await StorageWard.ExamineStopped(database, Stop, Check);

        Assert.Equal([], report.Findings.Select(finding => $"{finding.Target.Name}: {finding.Evidence}"));
        Assert.Equal([], Here(report).Where(it => it.Verdict is Verdict.Unchecked && !IsOpen(it))
            .Select(it => $"{it.Target.Name}: {it.Verdict.Why}"));
        foreach (var table in (string[])["public.keys", "public.chains", "public.emptied", "public.large", "public.unlogged", "public.nothing", "pg_catalog.pg_class"])
            Assert.IsType<Verdict.Sound>(Here(report).Single(it => it.Target.Name == table).Verdict);
    }

    /// <summary>What no reader of files alone can decide, and says so.</summary>
    private static bool IsOpen(Examination it) => it.Verdict.Why!.StartsWith("partial:", StringComparison.Ordinal)
        || it.Verdict.Why.StartsWith("it has expressions", StringComparison.Ordinal)
        || it.Target.Object == "outside" && it.Verdict.Why.Contains("out of line", StringComparison.Ordinal);

    private static IEnumerable<Examination> Here(ScrubReport report) =>
        report.Examinations.Where(it => it.Target.Database == SampleDatabase.Name && it.Target.Object is not null);

    private static async Task Live(TestDatabase database)
    {
        await database.Execute("ALTER SYSTEM SET max_prepared_transactions = 5", Stop);
        await database.Cluster.Stop(StopMode.Fast, Stop);
        await database.Cluster.Start(Stop);
        foreach (var statement in Lives.Statements.Concat(Lives.Alone).Concat(Lives.Prepared))
            await database.Execute(statement, Stop);
    }
}
