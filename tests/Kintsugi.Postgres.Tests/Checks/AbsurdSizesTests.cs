using Kintsugi.Postgres.Checks;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks;

/// <summary>What the catalog says of a table's size is the planner's business: the work is cut by what the file has.</summary>
public sealed class AbsurdSizesTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(2_000_000_000)]
    [InlineData(-7)]
    public async Task A_nonsensical_number_of_pages_does_not_cut_a_small_table_into_thousands_of_stretches(int pages)
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var before = await Looked(database);
        Assert.Equal(1, await database.Injure($"UPDATE pg_class SET relpages = {pages} WHERE oid = 'movies'::regclass", Stop));

        Assert.Equal(before, await Looked(database));
    }

    private static async Task<int> Looked(TestDatabase database)
    {
        var report = await Ward.Examine(database, new HeapCheck(), Depth.Standard, Stop);
        Ward.AssertSound(report);
        return report.Examinations.Count(examination => examination.Target.Relation == "movies");
    }
}
