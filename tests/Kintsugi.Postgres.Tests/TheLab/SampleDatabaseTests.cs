using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.TheLab;

public sealed class SampleDatabaseTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Has_every_index_access_method_and_keeps_all_of_its_own_rules(int major)
    {
        await using var database = await servers.Database(major, Stop);

        var methods = await database.Query(
            """
            SELECT DISTINCT a.amname::text FROM pg_class c JOIN pg_am a ON a.oid = c.relam
             WHERE c.relkind = 'i' AND c.relnamespace = 'public'::regnamespace ORDER BY 1
            """, Stop);
        Assert.Equal(["brin", "btree", "gin", "gist", "hash", "spgist"], methods.Select(row => (string)row[0]!));
        Assert.Equal(0, await database.Scalar<long>("SELECT count(*) FROM pg_constraint WHERE NOT convalidated", Stop));
        Assert.Equal(0, await database.Scalar<long>("SELECT count(*) FROM pg_index WHERE NOT indisvalid", Stop));
        Assert.True(await database.Scalar<long>("SELECT count(*) FROM pg_class WHERE relkind = 't' AND relpages > 5", Stop) > 1);
    }

    [Fact]
    public async Task A_compressed_and_an_uncompressed_value_lie_out_of_line()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        Assert.True(await database.Scalar<bool>(
            """
            SELECT max(pg_column_size(raw)) > 2000 AND max(octet_length(raw)) > 2 * max(pg_column_size(raw))
              FROM external_metadata
            """, Stop));
        Assert.True(await database.Scalar<bool>(
            "SELECT max(pg_column_size(thumbnail)) = max(octet_length(thumbnail)) FROM media_files", Stop));
    }

    [Fact]
    public async Task Two_copies_are_row_for_row_the_same_and_a_load_is_deterministic()
    {
        await using var one = await servers.Database(TestMajors.Newest, Stop);
        await SampleDatabase.Load(one.Cluster, "loaded again", SampleDatabase.ForTests, Stop);
        var again = await Fingerprint.Take(one.Cluster, "loaded again", Stop);
        await one.Cluster.Execute("postgres", "DROP DATABASE \"loaded again\"", Stop);

        var first = await one.Fingerprint(Stop);
        Assert.True(first.RowCount > 20_000, $"{first.RowCount} rows in {first.TableCount} tables");
        Assert.Equal("every row is the same", first.CompareWith(again).ToString());
    }
}
