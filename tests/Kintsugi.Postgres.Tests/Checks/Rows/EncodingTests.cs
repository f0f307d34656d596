using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Values;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

/// <summary>Text in databases that are not UTF8: bad rows by their keys there too, and no good one.</summary>
public sealed class EncodingTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Encoding, texts that it takes, and texts that it does not, as hexadecimal digits.</summary>
    private static readonly (string Encoding, string[] Good, string[] Bad)[] Cases =
    [
        ("EUC_JP", ["a4a2", "8eb1", "8fb0a1", "61a4a27f"], ["a4", "61a4", "8ee0", "8fb0", "80", "ff41", "a441", "6100"]),
        ("EUC_KR", ["b0a1", "41b0a142"], ["b0", "b041", "8ea1", "ffa1"]),
        ("EUC_CN", ["b0a1"], ["b0", "b07f", "80a1"]),
        ("EUC_TW", ["c4e3", "8ea2a1a1", "81a1"], ["c4", "8ea8a1a1", "8fa1", "8ea2a1"]),
        ("EUC_JIS_2004", ["a4a2", "8fb0a1"], ["8ea0", "a4"]),
        ("LATIN1", ["e9", "80ff01"], ["6100", "00"]),
        ("WIN1252", ["81", "80e9"], ["4100"]),
    ];

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Bad_rows_are_named_in_every_server_encoding_and_what_the_server_takes_is_sound(int major)
    {
        await using var lender = await servers.Database(major, Stop);
        foreach (var (encoding, good, bad) in Cases)
        {
            var name = $"enc_{encoding.ToLowerInvariant()}_{lender.Name}";
            await lender.Cluster.Execute("postgres", $"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'", Stop);
            await using var database = new TestDatabase(lender.Cluster, name, gone => gone.Cluster.Execute("postgres", $"DROP DATABASE {gone.Name} WITH (FORCE)", Stop));
            // The bytes as they are, past the verifier: both types are stored alike.
            await database.Execute($"""
                CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE k (code text PRIMARY KEY, l varchar(30)[]);
                CREATE FUNCTION raw(bytea) RETURNS text LANGUAGE internal STRICT IMMUTABLE AS 'byteasend';
                INSERT INTO t SELECT i, CASE WHEN i % 7 <> 0 THEN 'plain ' || i END FROM generate_series(1, 300) i;
                {string.Concat(good.Select((hex, i) => $"INSERT INTO t VALUES ({1000 + i}, raw('\\x{hex}'));"))}
                INSERT INTO k VALUES ('fine', '{"{a,b}"}');
                """, Stop);
            Scrubbing.AssertSound(await Scrubbing.With(new TextEncodingCheck(), database, Stop));

            await database.Execute($"""
                {string.Concat(bad.Select((hex, i) => $"INSERT INTO t VALUES ({2000 + i}, raw('\\x{hex}'));"))}
                INSERT INTO k VALUES ('key', ARRAY['x', raw('\x{bad[0]}')::varchar]);
                """, Stop);
            var report = await Scrubbing.With(new TextEncodingCheck(), database, Stop);

            // A zero byte ends an item of an array for the server's own output: it is seen in no array.
            string[] inArray = bad[0].Contains("00", StringComparison.Ordinal) ? [] : ["k.l 1"];
            Assert.Equal([.. inArray, $"t.v {bad.Length}"], report.Findings.Select(f => $"{f.Target.Relation}.{f.Target.Column} {f.Rows}").Order());
            var found = Assert.Single(report.Findings, f => f.Target.Column == "v");
            Assert.Equal(bad.Select((_, i) => $$"""{"id" : {{2000 + i}}}"""), found.Samples.Order(StringComparer.Ordinal));
            Assert.Contains(bad[^1], found.Facts[FactNames.Values], StringComparison.Ordinal);
            Assert.Contains(encoding, found.Evidence, StringComparison.Ordinal);
            Assert.False(found.Facts.ContainsKey(FactNames.Violation), "no repair may ask it in a session that writes");
        }
    }

    [Fact]
    public async Task Names_and_keys_beyond_ASCII_are_told_as_they_are()
    {
        await using var lender = await servers.Database(TestMajors.Newest, Stop);
        var name = $"enc_names_{lender.Name}";
        await lender.Cluster.Execute("postgres", $"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C'", Stop);
        await using var database = new TestDatabase(lender.Cluster, name, gone => gone.Cluster.Execute("postgres", $"DROP DATABASE {gone.Name} WITH (FORCE)", Stop));
        await database.Execute("""
            CREATE TYPE letter AS ENUM ('漢', '字'); CREATE TABLE "映画" ("番号" letter PRIMARY KEY, "題名" text);
            CREATE FUNCTION raw(bytea) RETURNS text LANGUAGE internal STRICT IMMUTABLE AS 'byteasend';
            INSERT INTO "映画" VALUES ('漢', 'よい'), ('字', raw('\xa4'));
            """, Stop);

        var found = Assert.Single((await Scrubbing.With(new TextEncodingCheck(), database, Stop)).Findings);

        Assert.Equal(("映画", "題名", """{"番号" : "字"}"""), (found.Target.Relation, found.Target.Column, found.Key));
    }

    [Fact]
    public async Task SQL_ASCII_asks_nothing_and_that_is_said()
    {
        await using var lender = await servers.Database(TestMajors.Newest, Stop);
        var name = $"enc_ascii_{lender.Name}";
        await lender.Cluster.Execute("postgres", $"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'", Stop);
        await using var database = new TestDatabase(lender.Cluster, name, gone => gone.Cluster.Execute("postgres", $"DROP DATABASE {gone.Name} WITH (FORCE)", Stop));
        await database.Execute(@"CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, E'\xff\xfe')", Stop);

        var report = await Scrubbing.With(new TextEncodingCheck(), database, Stop);

        Assert.Contains("SQL_ASCII", Assert.IsType<Verdict.NotApplicable>(Assert.Single(report.Examinations, e => e.Target.Relation == "t").Verdict).Reason,
            StringComparison.Ordinal);
    }

    /// <summary>In parts of composite values, ranges, domains and arrays of these; and sound values of the same types, halves of characters beside each other too, are sound.</summary>
    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Text_inside_other_values_is_looked_at_too(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE DOMAIN word AS text; CREATE TYPE pair AS (n int, w word); CREATE TYPE nest AS (p pair[], d date); CREATE TYPE span AS RANGE (subtype = text);
            CREATE DOMAIN couple AS pair; CREATE TYPE bare AS (n int, d date); CREATE TABLE rowtype (id int, name varchar(20));
            CREATE FUNCTION raw(bytea) RETURNS text LANGUAGE internal STRICT IMMUTABLE AS 'byteasend';
            CREATE TABLE t (id int PRIMARY KEY, plain text, c pair, n nest, r span, d couple, w word[], x bare, o rowtype);
            INSERT INTO t SELECT i, 'é' || i, ROW(i, 'ü,"(' || i)::pair, ROW(ARRAY[ROW(1, '漢')::pair, NULL], now())::nest, span('a', 'é' || i), ROW(1, 'ß')::pair, ARRAY['ñ']::word[],
              ROW(1, now())::bare, ROW(1, 'ö')::rowtype FROM generate_series(1, 50) i; INSERT INTO t (id) VALUES (90);
            """, Stop);
        Scrubbing.AssertSound(await Scrubbing.With(new TextEncodingCheck(), database, Stop));

        await database.Execute("""
            INSERT INTO t (id, c) VALUES (101, ROW(1, raw('\xc3'))::pair); INSERT INTO t (id, n) VALUES (102, ROW(ARRAY[ROW(1, raw('\x63e9'))::pair], now())::nest);
            INSERT INTO t (id, r) VALUES (103, span('a', raw('\xe974'))); INSERT INTO t (id, d) VALUES (104, ROW(1, raw('\xff'))::pair);
            INSERT INTO t (id, w) VALUES (105, ARRAY[raw('\xc3'), raw('\xa9')]::word[]); INSERT INTO t (id, o) VALUES (106, ROW(1, raw('\xe9'))::rowtype);
            """, Stop);
        var report = await Scrubbing.With(new TextEncodingCheck(), database, Stop);

        Assert.Equal(["c 101", "d 104", "n 102", "o 106", "r 103", "w 105"],
            report.Findings.Select(f => $"{f.Target.Column} {f.Key!.Split(' ', '}')[2]}").Order(StringComparer.Ordinal));
    }
}
