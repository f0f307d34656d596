using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Values;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

public sealed class ValueTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IReadOnlyList<ICheck> Checks =>
    [
        new CheckConstraintCheck(ConsistencyRules.None), new PartitionBoundCheck(), new GeneratedCheck(), new EnumValueCheck(),
        new TextEncodingCheck(), new SequenceCheck(),
    ];

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task The_sample_database_is_sound_in_every_respect(int major)
    {
        await using var database = await servers.Database(major, Stop);
        foreach (var check in Checks)
        {
            var report = await Scrubbing.With(check, database, Stop);
            Scrubbing.AssertSound(report);
            Assert.True(check is PartitionBoundCheck || report.Examinations.Any(e => e.Verdict is Verdict.Sound),
                $"{check.Id} looked at nothing");
        }
    }

    /// <summary>The server looks at a domain inside an array or a composite value when it is written, like at any other, and never again.</summary>
    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Domains_inside_arrays_and_composite_values_are_looked_at_too(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE DOMAIN "po s" AS int CHECK (VALUE > 0); CREATE TYPE pair AS (a text, "p q" "po s", r "po s"); CREATE TYPE nest AS (ps pair[], d date);
            CREATE DOMAIN couple AS pair CHECK ((VALUE).a <> 'none');
            CREATE TABLE t (id int PRIMARY KEY, l "po s"[], c pair, n nest, d couple, plain int[]);
            INSERT INTO t SELECT i, ARRAY[i, NULL], ROW('x', i, NULL)::pair, ROW(ARRAY[ROW('y', i, i)::pair, NULL], now())::nest, ROW('z', 1, 2)::couple, ARRAY[-1]
              FROM generate_series(1, 40) i; INSERT INTO t (id) VALUES (90);
            ALTER DOMAIN "po s" DROP CONSTRAINT "po s_check"; ALTER DOMAIN couple DROP CONSTRAINT couple_check;
            """, Stop);
        const string Rules = """
            ALTER DOMAIN "po s" ADD CONSTRAINT over_zero CHECK (VALUE > 0) NOT VALID; ALTER DOMAIN couple ADD CONSTRAINT named CHECK ((VALUE).a <> 'none') NOT VALID;
            UPDATE pg_constraint SET convalidated = true WHERE conname IN ('over_zero', 'named');
            """;
        await database.Execute($"BEGIN; {Rules} COMMIT", Stop);
        Scrubbing.AssertSound(await Scrubbing.With(new CheckConstraintCheck(ConsistencyRules.None), database, Stop));
        await database.Execute($"""
            ALTER DOMAIN "po s" DROP CONSTRAINT over_zero; ALTER DOMAIN couple DROP CONSTRAINT named;
            UPDATE t SET l = ARRAY[1, -1] WHERE id = 1; UPDATE t SET c = ROW('x', 1, 0) WHERE id = 2; UPDATE t SET c = ROW('x', -5, NULL) WHERE id = 3;
            UPDATE t SET n = ROW(ARRAY[ROW('y', 1, 1)::pair, ROW('y', -1, 1)::pair], now())::nest WHERE id = 4; UPDATE t SET d = ROW('none', -1, 1) WHERE id = 5;
            {Rules}
            """, Stop);

        var report = await Scrubbing.With(new CheckConstraintCheck(ConsistencyRules.None), database, Stop);

        Assert.Equal(["named d 1", "over_zero c 2", "over_zero d 1", "over_zero l 1", "over_zero n 1"],
            report.Findings.Select(f => $"{f.Target.Rule} {f.Target.Column} {f.Rows}").Order(StringComparer.Ordinal));
        Assert.Empty(report.Examinations.Where(e => e.Verdict is Verdict.Unchecked).Select(e => e.Verdict.Why));
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Violated_checks_nulls_and_domains_are_found_though_they_are_marked_valid(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE SCHEMA "S p"; CREATE FUNCTION "S p".half(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 2';
            CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN small AS positive CHECK (VALUE < 100);
            CREATE TABLE "S p"."t;1" ("I d" int PRIMARY KEY, q int NOT NULL, w int, s small, ok int NOT NULL
              CONSTRAINT ok_check CHECK (ok > 0));
            INSERT INTO "S p"."t;1" SELECT i, i, NULLIF(i, 3), i, 1 FROM generate_series(1, 50) i;
            ALTER TABLE "S p"."t;1" ALTER q DROP NOT NULL; UPDATE "S p"."t;1" SET q = NULL WHERE "I d" IN (4, 5);
            UPDATE pg_attribute SET attnotnull = true WHERE attrelid = '"S p"."t;1"'::regclass AND attname = 'q';
            ALTER TABLE "S p"."t;1" ADD CONSTRAINT "w c" CHECK ("S p".half(w) < 20) NOT VALID;
            UPDATE pg_constraint SET convalidated = true WHERE conname = 'w c';
            ALTER DOMAIN small ADD CONSTRAINT lower CHECK (VALUE < 50) NOT VALID;
            UPDATE pg_constraint SET convalidated = true WHERE conname = 'lower';
            """, Stop);

        var report = await Scrubbing.With(new CheckConstraintCheck(ConsistencyRules.None), database, Stop);

        Assert.Equal(["check-violated lower 1", "check-violated w c 11", "null-forbidden NOT NULL 2"],
            report.Findings.Select(f => $"{f.Fault.Id} {f.Target.Rule} {f.Rows}").Order());
        Assert.Empty(report.Examinations.Where(e => e.Verdict is Verdict.Unchecked).Select(e => e.Verdict.Why));
        var nulls = Assert.Single(report.Findings, f => f.Fault == Faults.NullForbidden);
        Assert.Equal("q", nulls.Target.Column);
        Assert.Equal(["""{"I d" : 4}""", """{"I d" : 5}"""], nulls.Samples.Order());
        var again = await database.Query(
            $"SELECT \"I d\" FROM {nulls.Facts[FactNames.From]} WHERE {nulls.Facts[FactNames.Violation]} ORDER BY 1", Stop);
        Assert.Equal([4, 5], again.Select(row => (int)row[0]!));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task An_expression_that_fails_leaves_only_its_own_constraint_unchecked(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE FUNCTION inner_one(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
            CREATE FUNCTION outer_one(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN inner_one($1); END';
            CREATE TABLE f (id int PRIMARY KEY, a int CONSTRAINT lost CHECK (outer_one(a) > 0), b int);
            INSERT INTO f VALUES (1, 1, 1), (2, 1, -1);
            ALTER TABLE f ADD CONSTRAINT bad CHECK (b > 0) NOT VALID;
            """, Stop);

        var report = await Scrubbing.With(new CheckConstraintCheck(ConsistencyRules.None), database, Stop);

        Assert.Contains(
            "42883", Assert.IsType<Verdict.Unchecked>(report.Of("f", "lost").Verdict).Reason, StringComparison.Ordinal);
        Assert.Equal("bad", Assert.Single(report.Findings).Target.Rule);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_check_on_the_clock_accuses_nobody_when_time_has_passed(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE offer (id int PRIMARY KEY, ends timestamptz CONSTRAINT ahead CHECK (ends > now()), day date
              CONSTRAINT today CHECK (day >= CURRENT_DATE),
              price numeric CONSTRAINT positive CHECK (price > 0));
            INSERT INTO offer VALUES (1, now() + interval '1 day', CURRENT_DATE, 5);
            ALTER TABLE offer DROP CONSTRAINT ahead, DROP CONSTRAINT today, DROP CONSTRAINT positive;
            UPDATE offer SET ends = now() - interval '1 day', day = CURRENT_DATE - 1, price = -5;
            ALTER TABLE offer ADD CONSTRAINT ahead CHECK (ends > now()) NOT VALID, ADD
              CONSTRAINT today CHECK (day >= CURRENT_DATE) NOT VALID,
              ADD CONSTRAINT positive CHECK (price > 0) NOT VALID;
            """, Stop);

        var report = await Scrubbing.With(new CheckConstraintCheck(ConsistencyRules.None), database, Stop);

        Assert.Contains(
            "now", Assert.IsType<Verdict.NotApplicable>(report.Of("offer", "ahead").Verdict).Reason, StringComparison.Ordinal);
        Assert.IsType<Verdict.NotApplicable>(report.Of("offer", "today").Verdict);
        Assert.Equal("positive", Assert.Single(report.Findings).Target.Rule);
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Rows_in_the_wrong_partition_are_found_whatever_the_kind_of_partition(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE r (id int, v text) PARTITION BY RANGE (id);
            CREATE TABLE r1 PARTITION OF r FOR VALUES FROM (0) TO (10); CREATE TABLE rd PARTITION OF r DEFAULT;
            CREATE TABLE r2 PARTITION OF r FOR VALUES FROM (10) TO (20) PARTITION BY LIST (v);
            CREATE TABLE r2a PARTITION OF r2 FOR VALUES IN ('a', NULL);
            CREATE TABLE h (id int PRIMARY KEY) PARTITION BY HASH (id);
            CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
              CREATE TABLE h1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1);
            INSERT INTO r VALUES (1, 'x'), (2, NULL), (11, 'a'), (12, NULL), (30, 'z'), (NULL, 'n');
              INSERT INTO h SELECT generate_series(1, 100);
            """, Stop);
        Scrubbing.AssertSound(await Scrubbing.With(new PartitionBoundCheck(), database, Stop));
        await database.Execute("""
            ALTER TABLE r DETACH PARTITION r1; INSERT INTO r1 VALUES (77, 'q');
              ALTER TABLE r1 ADD CHECK (id IS NOT NULL AND id >= 0 AND id < 10) NOT VALID;
            UPDATE pg_constraint SET convalidated = true WHERE conrelid = 'r1'::regclass;
              ALTER TABLE r ATTACH PARTITION r1 FOR VALUES FROM (0) TO (10);
            """, Stop);
        // Triggers do not guard a bound; the row comes in past the parent while pg_class does not call the table a partition.
        var stranger = await database.Scalar<int>("SELECT min(id) FROM h1", Stop);
        await database.Execute("UPDATE pg_class SET relispartition = false WHERE relname = 'h0'", Stop);
        await database.Execute($"INSERT INTO h0 VALUES ({stranger})", Stop);
        await database.Execute("UPDATE pg_class SET relispartition = true WHERE relname = 'h0'", Stop);
        var report = await Scrubbing.With(new PartitionBoundCheck(), database, Stop);

        Assert.Equal(
            ["h0 1 h", "r1 1 r"],
            report.Findings.Select(f => $"{f.Target.Relation} {f.Rows} {f.Facts[FactNames.RootTable]}").Order());
        Assert.Contains($"{{\"id\" : {stranger}}}", report.Findings.Select(f => f.Key));
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task A_generated_column_that_differs_from_its_expression_is_told_apart_by_how_many_rows(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
            CREATE TABLE g (id int PRIMARY KEY, a int, n numeric(8,2) GENERATED ALWAYS AS (a * 1.5) STORED,
              v varchar(3) GENERATED ALWAYS AS (left('x' || a::text, 3)) STORED,
                            t int GENERATED ALWAYS AS (public.twice(a)) STORED);
            INSERT INTO g (id, a) SELECT i, NULLIF(i, 7) FROM generate_series(1, 200) i;
            """, Stop);
        Scrubbing.AssertSound(await Scrubbing.With(new GeneratedCheck(), database, Stop));
        await database.Execute(
            "CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 3'", Stop);
        await database.Execute(
            "UPDATE pg_attribute SET attgenerated = '' WHERE attrelid = 'g'::regclass AND attname = 'n'", Stop);
        await database.Execute("UPDATE g SET n = 99 WHERE id = 5", Stop);
        await database.Execute(
            "UPDATE pg_attribute SET attgenerated = 's' WHERE attrelid = 'g'::regclass AND attname = 'n'", Stop);

        var report = await Scrubbing.With(new GeneratedCheck(), database, Stop);

        Assert.Equal(
            ["n 1 isolated", "t 199 mass"],
            report.Findings.Select(f => $"{f.Target.Column} {f.Rows} {f.Facts[FactNames.Spread]}").Order());
        var one = Assert.Single(report.Findings, f => f.Target.Column == "n");
        Assert.Contains("99.00", one.Facts[FactNames.Values], StringComparison.Ordinal);
        Assert.Contains("7.50", one.Facts[FactNames.Values], StringComparison.Ordinal);
        Assert.Equal("""["a"]""", one.Facts[FactNames.BaseColumns]);
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task An_enum_value_that_lost_its_label_is_found_without_printing_it(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TYPE mood AS ENUM ('a', 'b', 'c'); CREATE DOMAIN feeling AS mood; CREATE TYPE other AS ENUM ('x');
            CREATE TABLE e (id int PRIMARY KEY, m mood, d feeling, l mood[], o other);
            INSERT INTO e SELECT i, CASE i % 3 WHEN 0 THEN 'a'::mood WHEN 1 THEN 'b' END, 'a', ARRAY['a', NULL, 'b']::mood[],
              'x' FROM generate_series(1, 30) i;
            INSERT INTO e VALUES (99, 'c', 'c', '{a,c}', NULL);
            """, Stop);
        Scrubbing.AssertSound(await Scrubbing.With(new EnumValueCheck(), database, Stop));
        await database.Execute("DELETE FROM pg_enum WHERE enumlabel = 'c' AND enumtypid = 'mood'::regtype", Stop);
        await Assert.ThrowsAnyAsync<Exception>(() => database.Query("SELECT m::text FROM e", Stop));

        var report = await Scrubbing.With(new EnumValueCheck(), database, Stop);

        Assert.Equal(["d 1", "l 1", "m 1"], report.Findings.Select(f => $"{f.Target.Column} {f.Rows}").Order());
        Assert.All(report.Findings, f => Assert.Equal("""{"id" : 99}""", f.Key));
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Sequences_that_would_give_a_used_value_or_near_their_end_are_found(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE ident (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
              CREATE TABLE "Ser ial" (id serial PRIMARY KEY); CREATE SEQUENCE free;
            CREATE TABLE bydefault (id bigint PRIMARY KEY DEFAULT nextval('free'));
              CREATE SEQUENCE down INCREMENT -5 MINVALUE -10000 START -1;
            CREATE TABLE falling (id int PRIMARY KEY DEFAULT nextval('down')); CREATE TABLE loose (id serial, v int);
              CREATE TABLE good (id serial PRIMARY KEY);
            CREATE TABLE tight (id smallserial PRIMARY KEY); CREATE SEQUENCE ring MAXVALUE 100 CYCLE;
              CREATE TABLE round (id int PRIMARY KEY DEFAULT nextval('ring'));
            INSERT INTO good SELECT FROM generate_series(1, 10); INSERT INTO loose (id) VALUES (500);
              INSERT INTO round SELECT i FROM generate_series(1, 50) i;
            INSERT INTO ident OVERRIDING SYSTEM VALUE VALUES (40); INSERT INTO "Ser ial" VALUES (1);
              INSERT INTO bydefault VALUES (7); INSERT INTO falling VALUES (-21);
            SELECT setval('tight_id_seq', 30000);
            -- Written by hand far ahead: the sequence may never come there.
            CREATE TABLE ahead (id serial PRIMARY KEY); INSERT INTO ahead VALUES (DEFAULT), (900001);
            """, Stop);

        var report = await Scrubbing.With(new SequenceCheck(), database, Stop);

        Assert.Equal(
            ["sequence-behind Ser ial_id_seq", "sequence-behind down", "sequence-behind free", "sequence-behind ident_id_seq",
            "sequence-exhausting tight_id_seq"],
            report.Findings.Select(f => $"{f.Fault.Id} {f.Target.Object}").Order(StringComparer.Ordinal));
        Assert.Equal("41", Assert.Single(report.Findings, f => f.Target.Object == "ident_id_seq").Facts[FactNames.NextSafe]);
        Assert.Equal("-26", Assert.Single(report.Findings, f => f.Target.Object == "down").Facts[FactNames.NextSafe]);
        Assert.Equal("bydefault", Assert.Single(report.Findings, f => f.Target.Object == "free").Target.Relation);
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Text_that_is_not_of_the_encoding_is_found_with_its_rows_and_bytes(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE t (id int PRIMARY KEY, a text, b varchar(20), c char(6), j json, l text[], n name);
            INSERT INTO t SELECT i, 'grüße 漢字 🎬 ' || i, 'é', 'ü', '{"k": "ñ"}', ARRAY['ß', NULL, 'x'], 'ö'
              FROM generate_series(1, 500) i;
            CREATE TABLE k (name text PRIMARY KEY, v int); INSERT INTO k VALUES ('fine', 1);
            """, Stop);
        Scrubbing.AssertSound(await Scrubbing.With(new TextEncodingCheck(), database, Stop));
        // A database that calls itself SQL_ASCII for a moment takes any bytes, as old dumps and lenient servers did.
        await database.Cluster.Execute(
            "postgres", $"UPDATE pg_database SET encoding = 0 WHERE datname = '{database.Name}'", Stop);
        await database.Execute("""
            UPDATE t SET a = E'x\xc3(' WHERE id = 7; UPDATE t SET a = E'\xed\xa0\x80' WHERE id = 8;
              UPDATE t SET l = ARRAY[E'\xe4\xb8', 'x'] WHERE id = 9;
            UPDATE t SET j = E'{"k": "\xff"}' WHERE id = 10; INSERT INTO k VALUES (E'b\x80d', 2);
            """, Stop);
        await database.Cluster.Execute(
            "postgres", $"UPDATE pg_database SET encoding = 6 WHERE datname = '{database.Name}'", Stop);

        var report = await Scrubbing.With(new TextEncodingCheck(), database, Stop);

        Assert.Equal(
            ["k.name 1", "t.a 2", "t.j 1", "t.l 1"],
            report.Findings.Select(f => $"{f.Target.Relation}.{f.Target.Column} {f.Rows}").Order());
        var text = Assert.Single(report.Findings, f => f.Target.Column == "a");
        Assert.Equal(["""{"id" : 7}""", """{"id" : 8}"""], text.Samples.Order());
        Assert.Contains("78c328", text.Facts[FactNames.Values], StringComparison.Ordinal);
        var named = Assert.Single(report.Findings, f => f.Target.Column == "name");
        Assert.StartsWith("""{"ctid" : """, named.Key, StringComparison.Ordinal);
    }
}
