using Kintsugi.Postgres.Checks.Uniqueness;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks;

public sealed class UniquenessCheckTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private const string Odd = """
        CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TYPE pair AS (one int, two text); CREATE EXTENSION IF NOT EXISTS btree_gist;
        CREATE TABLE "we;ird""name" ("a.b ""c d" text COLLATE blind UNIQUE, k1 int, place text, p pair UNIQUE, n numeric UNIQUE,
            late int UNIQUE DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO "we;ird""name" VALUES ('x', 1, 'a', (1, null), 1.0, 1), ('y', 1, 'a', (1, 'b'), 'NaN', 2), (null, 1, 'A',
            null, null, null), (null, 1, 'b', null, null, null);
        CREATE UNIQUE INDEX partial ON "we;ird""name" (k1, pg_catalog.lower(place) text_pattern_ops) INCLUDE (n) WHERE n < 1.5;
        CREATE TABLE spans (room int, span int4range, box box, ip inet, EXCLUDE USING gist (span WITH &&),
            EXCLUDE USING gist (box WITH &&),
                            EXCLUDE USING gist (room WITH =, span WITH &&) WHERE (room > 0), EXCLUDE USING btree (ip WITH =));
        INSERT INTO spans SELECT i, int4range(i * 10, i * 10 + 10), box(point(i, i), point(i + 0.5, i + 0.5)),
            ('10.0.0.' || i)::inet FROM generate_series(1, 200) i;
        INSERT INTO spans VALUES (null, 'empty', null, null), (null, 'empty', null, null)
        """;

    [Theory, InlineData(13), InlineData(15), InlineData(18)]
    public async Task Keys_that_only_look_alike_are_sound(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute(Odd, Stop);

        Ward.AssertSound(await Ward.Examine(database, new UniquenessCheck(), Depth.Standard, Stop));
    }

    /// <summary>How the guard is taken off, the rows that come in, the index that must be named, and how many rows are too
    /// many.</summary>
    [Theory]
    [InlineData("""INSERT INTO "we;ird""name" ("a.b ""c d") VALUES ('X')""", """we;ird"name_a.b "c d_key""", 1)]
    [InlineData("""INSERT INTO "we;ird""name" (n) VALUES (1.00), (1), ('NaN')""", """we;ird"name_n_key""", 3)]
    [InlineData("""INSERT INTO "we;ird""name" (p) VALUES (ROW(1, null))""", """we;ird"name_p_key""", 1)]
    [InlineData("""INSERT INTO "we;ird""name" (k1, place, n) VALUES (1, 'A', 0.5)""", "partial", 1)]
    [InlineData("INSERT INTO spans (span) VALUES ('[45,47)')", "spans_span_excl", 1)]
    [InlineData("INSERT INTO spans (box) VALUES ('(3.2,3.2),(3.1,3.1)')", "spans_box_excl", 1)]
    [InlineData("INSERT INTO spans (room, span) VALUES (5, '[1000000,)'), (5, '[2000000,2000001)')", "spans_room_span_excl", 1)]
    [InlineData("INSERT INTO spans (ip) VALUES ('10.0.0.7')", "spans_ip_excl", 1)]
    public async Task Finds_duplicates_that_the_index_hides(string rows, string index, int surplus)
    {
        await using var database = await servers.Database(15, Stop);
        await database.Execute(Odd, Stop);
        // Not ready: nothing is checked nor entered, as a lost entry would have it.
        Assert.True(await database.Injure("UPDATE pg_index SET indisready = false WHERE indrelid >= 16384 AND (indisunique OR "
            + "indisexclusion)", Stop) > 0);
        Assert.True(await database.Injure(rows, Stop) > 0);
        await database.Injure("UPDATE pg_index SET indisready = true", Stop);

        var report = await Ward.Examine(database, new UniquenessCheck(), Depth.Standard, Stop);

        var finding = Assert.Single(report.Findings, f => f.Target.Object == index);
        Assert.Equal((Faults.UniqueViolated, (long?)surplus), (finding.Fault, finding.Rows));
        Assert.NotEmpty(finding.Samples);
        Assert.Matches(@"\(\d+,\d+\)", finding.Facts["groups"]);
        Assert.All(report.Findings, f => Assert.True(f.Target.Object == index || index == "spans_room_span_excl", f.Evidence));
    }

    [Fact]
    public async Task Nulls_count_where_they_are_declared_not_distinct()
    {
        await using var database = await servers.Database(15, Stop);
        await database.Execute("CREATE TABLE n (a int, b int, UNIQUE NULLS NOT DISTINCT (a, b)); INSERT INTO n VALUES (1, "
            + "null), (null, null)", Stop);
        Ward.AssertSound(await Ward.Examine(database, new UniquenessCheck(), Depth.Standard, Stop));
        await database.Injure("UPDATE pg_index SET indisready = false WHERE indrelid = 'n'::regclass", Stop);
        await database.Execute("INSERT INTO n VALUES (1, null)", Stop);
        await database.Injure("UPDATE pg_index SET indisready = true WHERE indrelid = 'n'::regclass", Stop);

        var finding = Assert.Single((await Ward.Examine(database, new UniquenessCheck(), Depth.Standard, Stop)).Findings);

        Assert.Equal("""{"a": 1, "b": null}""", finding.Key);
    }

    [Fact]
    public async Task Periods_without_overlaps_are_looked_at()
    {
        await using var database = await servers.Database(18, Stop);
        await database.Execute("CREATE EXTENSION IF NOT EXISTS btree_gist; CREATE TABLE w (id int, valid daterange, PRIMARY "
            + "KEY (id, valid WITHOUT OVERLAPS)); "
            + "INSERT INTO w VALUES (1, '[2024-01-01,2024-02-01)'), (1, '[2024-02-01,)'), (2, '[2024-01-15,2024-03-01)')", Stop);
        Ward.AssertSound(await Ward.Examine(database, new UniquenessCheck(), Depth.Standard, Stop));
        await database.Injure("UPDATE pg_index SET indisready = false WHERE indrelid = 'w'::regclass", Stop);
        await database.Execute("INSERT INTO w VALUES (2, '[2024-02-20,2024-02-21)')", Stop);
        await database.Injure("UPDATE pg_index SET indisready = true WHERE indrelid = 'w'::regclass", Stop);

        Assert.Equal("w_pkey", Assert.Single((await Ward.Examine(database, new UniquenessCheck(), Depth.Standard,
            Stop)).Findings).Target.Object);
    }
}
