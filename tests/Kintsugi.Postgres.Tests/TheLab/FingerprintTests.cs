using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.TheLab;

public sealed class FingerprintTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tells_lost_changed_and_extra_rows_with_their_keys()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var before = await database.Fingerprint(Stop);
        await database.Execute(
            """
            UPDATE movies SET synopsis = synopsis || ' ' WHERE id = 5;
            DELETE FROM watch_notes WHERE watch_id = 25;
            INSERT INTO "Odd Schema"."🍿 %s {0}" VALUES (-1, 'new');
            """, Stop);

        var difference = before.CompareWith(await database.Fingerprint(Stop));

        Assert.Equal(
            ["\"Odd Schema\".\"🍿 %s {0}\": 1 extra (-1)", "\"public\".\"movies\": 1 changed (5)",
             "\"public\".\"watch_notes\": 1 lost (25,\"2025-01-03 05:20:00+00\")"],
            difference.Tables.Select(table => table.ToString()));
    }

    [Fact]
    public async Task Counts_equal_rows_of_a_table_without_a_key()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var before = await database.Fingerprint(Stop);
        await database.Execute(
            "DELETE FROM import_lines WHERE ctid = (SELECT min(ctid) FROM import_lines WHERE line = 3)", Stop);

        var difference = before.CompareWith(await database.Fingerprint(Stop));

        Assert.Single(Assert.Single(difference.Tables).Lost);
    }

    [Fact]
    public async Task A_rewrite_without_any_change_leaves_it_as_it_was()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var before = await database.Fingerprint(Stop);
        await database.Execute("VACUUM FULL movies", Stop);
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
    }
}
