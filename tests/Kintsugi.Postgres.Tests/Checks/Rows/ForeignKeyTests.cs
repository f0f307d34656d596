using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

public sealed class ForeignKeyTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static ForeignKeyCheck Check => new(ConsistencyRules.None);

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task The_sample_database_has_no_orphans(int major)
    {
        await using var database = await servers.Database(major, Stop);

        var report = await Scrubbing.With(Check, database, Stop);

        Scrubbing.AssertSound(report);
        Assert.Contains(report.Examinations, e => e.Verdict is Verdict.Sound);
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Orphans_are_found_whichever_way_they_came_in(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE SCHEMA "od.d"; CREATE TABLE "od.d"."Par ent" ("I""d" int PRIMARY KEY, code text);
            INSERT INTO "od.d"."Par ent" SELECT i, 'c' || i FROM generate_series(1, 100) i;
            CREATE TABLE replica (id int PRIMARY KEY, up int CONSTRAINT r_fk REFERENCES "od.d"."Par ent");
            CREATE TABLE disabled (id int PRIMARY KEY, up int CONSTRAINT d_fk REFERENCES "od.d"."Par ent");
            CREATE TABLE unproven (id int PRIMARY KEY, up int);
            CREATE TABLE edited ("we;ird""name" int PRIMARY KEY, up int);
            INSERT INTO replica SELECT i, 1 + i % 100 FROM generate_series(1, 300) i;
            INSERT INTO disabled SELECT i, NULLIF(i % 101, 0) FROM generate_series(1, 300) i;
            INSERT INTO unproven SELECT i, i FROM generate_series(1, 103) i;
            INSERT INTO edited SELECT i, i FROM generate_series(1, 104) i;
            """, Stop);
        await database.Execute("SET session_replication_role = replica; INSERT INTO replica VALUES (900, 777), (901, 778)", Stop);
        await database.Execute("ALTER TABLE disabled DISABLE TRIGGER ALL; INSERT INTO disabled VALUES (900, 777)", Stop);
        await database.Execute("""
            ALTER TABLE unproven ADD CONSTRAINT u_fk FOREIGN KEY (up) REFERENCES "od.d"."Par ent" NOT VALID;
            ALTER TABLE edited ADD CONSTRAINT e_fk FOREIGN KEY (up) REFERENCES "od.d"."Par ent" NOT VALID;
            """, Stop);
        await database.Execute("UPDATE pg_constraint SET convalidated = true WHERE conname = 'e_fk'", Stop);

        var report = await Scrubbing.With(Check, database, Stop);

        Assert.Equal(["d_fk 1", "e_fk 4", "r_fk 2", "u_fk 3"], report.Findings.Select(f => $"{f.Target.Rule} {f.Rows}").Order());
        var replica = Assert.Single(report.Findings, f => f.Target.Rule == "r_fk");
        Assert.Equal("replica", replica.Target.Relation);
        Assert.Equal(["""{"id" : 900}""", """{"id" : 901}"""], replica.Samples.Order());
        Assert.Equal("true", replica.Facts[FactNames.Validated]);
        Assert.False(replica.Facts.ContainsKey(FactNames.ParentSuspect));
        var disabled = Assert.Single(report.Findings, f => f.Target.Rule == "d_fk");
        Assert.Equal("disabled", disabled.Facts[FactNames.Triggers]);
        Assert.Contains("triggers disabled", disabled.Evidence, StringComparison.Ordinal);
        Assert.Equal("false", Assert.Single(report.Findings, f => f.Target.Rule == "u_fk").Facts[FactNames.Validated]);
        Assert.Equal("""{"we;ird\"name" : 101}""", Assert.Single(report.Findings, f => f.Target.Rule == "e_fk").Samples[0]);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task The_violation_in_the_facts_finds_exactly_the_orphans(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute(
            "CREATE TABLE p (a int, b text, PRIMARY KEY (a, b)); CREATE TABLE c (id int PRIMARY KEY, a int, b text, "
            + "CONSTRAINT c_fk FOREIGN KEY (a, b) REFERENCES p); INSERT INTO p VALUES (1, 'x'); INSERT INTO c VALUES (1, 1, "
            + "'x'), (2, NULL, 'x')", Stop);
        await database.Execute("SET session_replication_role = replica; INSERT INTO c VALUES (3, 1, 'y')", Stop);

        var finding = Assert.Single((await Scrubbing.With(Check, database, Stop)).Findings);

        var rows = await database.Query(
            $"SELECT id FROM {finding.Facts[FactNames.From]} WHERE {finding.Facts[FactNames.Violation]}", Stop);
        Assert.Equal(3, Assert.Single(rows)[0]);
        Assert.Equal("""["a","b"]""", finding.Facts[FactNames.Columns]);
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Half_null_keys_and_every_shape_of_key_are_read_as_the_server_reads_them(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE p (a int, b text, PRIMARY KEY (a, b)); INSERT INTO p VALUES (1, 'x');
            CREATE TABLE simple (id int PRIMARY KEY, a bigint, b varchar(5), CONSTRAINT simple_fk FOREIGN KEY (a, b)
              REFERENCES p);
            CREATE TABLE whole (id int PRIMARY KEY, a int, b text, CONSTRAINT whole_fk FOREIGN KEY (a, b)
              REFERENCES p MATCH FULL);
            CREATE TABLE tree (id int PRIMARY KEY, up int CONSTRAINT tree_fk REFERENCES tree DEFERRABLE INITIALLY DEFERRED);
            CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE moods (m mood PRIMARY KEY); INSERT INTO moods VALUES ('a');
            CREATE TABLE feels (id int PRIMARY KEY, m mood CONSTRAINT feels_fk REFERENCES moods);
            CREATE TABLE chars (c char(4) PRIMARY KEY); INSERT INTO chars VALUES ('ab'), ('abcd');
            CREATE TABLE chared (id int PRIMARY KEY, c char(6) CONSTRAINT chared_fk REFERENCES chars);
            INSERT INTO simple VALUES (1, 1, 'x'), (2, NULL, 'zz'), (3, 9, NULL), (4, NULL, NULL);
            INSERT INTO whole VALUES (1, 1, 'x'), (2, NULL, NULL);
            INSERT INTO tree VALUES (1, NULL), (2, 2), (3, 1);
            INSERT INTO feels VALUES (1, 'a'), (2, NULL); INSERT INTO chared VALUES (1, 'ab'), (2, 'abcd');
            CREATE TABLE parted (id int, up int REFERENCES tree) PARTITION BY RANGE (id);
            CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
            CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20) PARTITION BY LIST (id);
            CREATE TABLE parted_2a PARTITION OF parted_2 DEFAULT;
            INSERT INTO parted VALUES (1, 1), (11, 2);
            CREATE TABLE proot (k int PRIMARY KEY) PARTITION BY HASH (k);
            CREATE TABLE proot_0 PARTITION OF proot FOR VALUES WITH (MODULUS 2, REMAINDER 0);
            CREATE TABLE proot_1 PARTITION OF proot FOR VALUES WITH (MODULUS 2, REMAINDER 1);
            INSERT INTO proot SELECT generate_series(1, 50);
            CREATE TABLE onto (id int PRIMARY KEY, k int CONSTRAINT onto_fk REFERENCES proot);
              INSERT INTO onto SELECT i, i FROM generate_series(1, 50) i;
            CREATE TABLE elder (k int PRIMARY KEY); CREATE TABLE younger () INHERITS (elder); INSERT INTO elder VALUES (1);
              INSERT INTO younger VALUES (2);
            CREATE TABLE heir (id int PRIMARY KEY, k int CONSTRAINT heir_fk REFERENCES elder); INSERT INTO heir VALUES (1, 1);
            """, Stop);
        Scrubbing.AssertSound(await Scrubbing.With(Check, database, Stop));

        await database.Execute("""
            SET session_replication_role = replica; INSERT INTO simple VALUES (5, 1, 'y');
              INSERT INTO whole VALUES (3, 1, NULL), (4, 2, 'x');
            INSERT INTO tree VALUES (4, 99); INSERT INTO feels VALUES (3, 'b'); INSERT INTO chared VALUES (3, 'abcdef');
            INSERT INTO parted VALUES (2, 98), (12, 97), (13, 96); INSERT INTO onto VALUES (51, 51);
              INSERT INTO heir VALUES (2, 2);
            """, Stop);
        var report = await Scrubbing.With(Check, database, Stop);

        Assert.Equal(
            ["chared_fk 1", "feels_fk 1", "heir_fk 1", "onto_fk 1", "parted_up_fkey 1", "parted_up_fkey 2", "simple_fk 1",
            "tree_fk 1", "whole_fk 2"],
            report.Findings.Select(f => $"{f.Target.Rule} {f.Rows}").Order());
        Assert.Equal(
            ["parted_1", "parted_2a"],
            report.Findings.Where(f => f.Target.Rule == "parted_up_fkey").Select(f => f.Target.Relation).Order());
    }
}
