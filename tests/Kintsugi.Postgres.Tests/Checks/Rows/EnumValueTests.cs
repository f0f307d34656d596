using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Values;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

/// <summary>Enum values wherever a type can hold them, by whichever way they lost their label.</summary>
public sealed class EnumValueTests(Servers servers)
{
    private const string Holders = """
        CREATE TYPE mood AS ENUM ('a', 'b', 'c'); CREATE TYPE nothing AS ENUM ();
        CREATE DOMAIN feeling AS mood; CREATE DOMAIN feelings AS feeling[];
        CREATE TYPE pair AS (n int, "m;ood" feeling); CREATE TYPE nest AS (deep pair[]);
        CREATE TYPE moods AS RANGE (subtype = mood);
        CREATE TABLE of_rows (id int, m mood);
        CREATE TABLE e (id int PRIMARY KEY, m mood, d feeling, l mood[], dl feelings, p pair, ps pair[], n nest, r moods, w of_rows, nn nothing, nl nothing[]);
        INSERT INTO e SELECT i, 'a', 'b', '{a,NULL,b}', '{a}', '(1,a)', '{"(1,a)",NULL}', ROW(ARRAY['(1,b)'::pair])::nest, '[a,b]', '(1,a)', NULL, NULL
          FROM generate_series(1, 40) i;
        INSERT INTO e (id) VALUES (50); INSERT INTO e (id, l, p, ps, n, r) VALUES (51, '{}', '(,)', '{}', '()', 'empty');
        """;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Is_found_in_every_nesting_with_the_OID_that_the_label_had(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute(Holders, Stop);
        // NULLs of a type without any label are as sound as others.
        Scrubbing.AssertSound(await Scrubbing.With(new EnumValueCheck(), database, Stop));
        await database.Execute("""
            INSERT INTO e (id, m) VALUES (101, 'c'); INSERT INTO e (id, d) VALUES (102, 'c'); INSERT INTO e (id, l) VALUES (103, '{a,c}');
            INSERT INTO e (id, dl) VALUES (104, '{c}'); INSERT INTO e (id, p) VALUES (105, '(1,c)'); INSERT INTO e (id, ps) VALUES (106, '{"(1,a)","(2,c)"}');
            INSERT INTO e (id, n) VALUES (107, ROW(ARRAY['(1,c)'::pair])::nest); INSERT INTO e (id, r) VALUES (108, '[b,c]'); INSERT INTO e (id, w) VALUES (109, '(1,c)');
            """, Stop);
        var oid = await database.Scalar<string>("SELECT oid::text FROM pg_enum WHERE enumlabel = 'c' AND enumtypid = 'mood'::regtype", Stop);
        await database.Execute("DELETE FROM pg_enum WHERE enumlabel = 'c' AND enumtypid = 'mood'::regtype", Stop);

        var report = await Scrubbing.With(new EnumValueCheck(), database, Stop);

        Assert.Equal(["d {\"id\" : 102}", "dl {\"id\" : 104}", "l {\"id\" : 103}", "m {\"id\" : 101}", "n {\"id\" : 107}", "p {\"id\" : 105}", "ps {\"id\" : 106}",
            "r {\"id\" : 108}", "w {\"id\" : 109}"], report.Findings.Select(f => $"{f.Target.Column} {f.Key}").Order(StringComparer.Ordinal));
        Assert.All(report.Findings, f => Assert.Equal("public.mood", f.Facts[FactNames.Type]));
        Assert.Equal($"[\"{oid}\"]", Assert.Single(report.Findings, f => f.Target.Column == "d").Facts[FactNames.Labels]);
        var again = await database.Query($"SELECT id FROM {report.Findings[0].Facts[FactNames.From]} WHERE {report.Findings[0].Facts[FactNames.Violation]}", Stop);
        Assert.Single(again);
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task A_value_whose_bytes_changed_is_found_too(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE e (id int PRIMARY KEY, m mood NOT NULL);
            INSERT INTO e SELECT i, 'a' FROM generate_series(1, 9) i;
            -- The four bytes as they are.
            CREATE FUNCTION raw_mood(int) RETURNS mood LANGUAGE internal STRICT IMMUTABLE AS 'int4up';
            UPDATE e SET m = raw_mood(7) WHERE id = 4;
            """, Stop);

        var finding = Assert.Single((await Scrubbing.With(new EnumValueCheck(), database, Stop)).Findings);

        Assert.Equal(("m", """{"id" : 4}""", """["7"]"""), (finding.Target.Column, finding.Key, finding.Facts[FactNames.Labels]));
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task A_label_that_expressions_of_the_schema_need_hides_no_other_table(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TYPE mood AS ENUM ('a', 'b', 'c'); CREATE TABLE e (id int PRIMARY KEY, m mood DEFAULT 'c', CHECK (m <> 'c' OR id > 0));
            CREATE TABLE parts (id int, m mood) PARTITION BY LIST (m);
            CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a'); CREATE TABLE parts_c PARTITION OF parts FOR VALUES IN ('c');
            CREATE TABLE g (id int PRIMARY KEY, m mood, is_c bool GENERATED ALWAYS AS (m = 'c') STORED);
            CREATE TABLE fine (id int PRIMARY KEY, v int, w int GENERATED ALWAYS AS (v * 2) STORED);
            INSERT INTO parts VALUES (1, 'a'), (2, 'c'); INSERT INTO fine SELECT i, i FROM generate_series(1, 10) i;
            ALTER TABLE fine ADD CONSTRAINT small CHECK (v < 10) NOT VALID;
            DELETE FROM pg_enum WHERE enumlabel = 'c' AND enumtypid = 'mood'::regtype;
            """, Stop);

        var checks = await Scrubbing.With(new CheckConstraintCheck(ConsistencyRules.None), database, Stop);
        var bounds = await Scrubbing.With(new PartitionBoundCheck(), database, Stop);
        var generated = await Scrubbing.With(new GeneratedCheck(), database, Stop);
        var values = await Scrubbing.With(new EnumValueCheck(), database, Stop);

        Assert.Equal("fine", Assert.Single(checks.Findings).Target.Relation);
        Assert.Contains("22P03", Assert.Single(checks.Examinations, e => e.Target.Relation == "e").Verdict.Why, StringComparison.Ordinal);
        Assert.IsType<Verdict.Sound>(Assert.Single(bounds.Examinations, e => e.Target.Relation == "parts_a").Verdict);
        Assert.IsType<Verdict.Unchecked>(Assert.Single(bounds.Examinations, e => e.Target.Relation == "parts_c").Verdict);
        Assert.IsType<Verdict.Sound>(Assert.Single(generated.Examinations, e => e.Target.Relation == "fine").Verdict);
        Assert.IsType<Verdict.Unchecked>(Assert.Single(generated.Examinations, e => e.Target.Relation == "g").Verdict);
        Assert.Equal("parts_c", Assert.Single(values.Findings).Target.Relation);
    }
}
