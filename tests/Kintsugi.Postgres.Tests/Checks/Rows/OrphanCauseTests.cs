using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

/// <summary>A finding tells how orphans probably came to be where the rows and the catalog say so, and nothing where they do not.</summary>
public sealed class OrphanCauseTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task The_likely_cause_is_told_by_what_is_left(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE parent (id serial PRIMARY KEY, code text UNIQUE); INSERT INTO parent (code) SELECT 'c' || i FROM generate_series(1, 20) i;
            CREATE TABLE deleted (id int PRIMARY KEY, up int CONSTRAINT deleted_fk REFERENCES parent); INSERT INTO deleted VALUES (1, 3);
            CREATE TABLE stranger (id int PRIMARY KEY, up int CONSTRAINT stranger_fk REFERENCES parent);
            CREATE TABLE off (id int PRIMARY KEY, up int CONSTRAINT off_fk REFERENCES parent);
            CREATE TABLE old (id int PRIMARY KEY, up int); INSERT INTO old VALUES (1, 900);
            CREATE TABLE unknown (id int PRIMARY KEY, up text CONSTRAINT unknown_fk REFERENCES parent (code));
            CREATE TABLE fresh (id int PRIMARY KEY) WITH (autovacuum_enabled = off); INSERT INTO fresh VALUES (1);
            CREATE TABLE still (id int PRIMARY KEY, up int CONSTRAINT still_fk REFERENCES fresh); INSERT INTO still VALUES (1, 1);
            ALTER TABLE old ADD CONSTRAINT old_fk FOREIGN KEY (up) REFERENCES parent NOT VALID; ALTER TABLE off DISABLE TRIGGER ALL; INSERT INTO off VALUES (1, 901);
            """, Stop);
        await database.Execute("SET session_replication_role = replica; DELETE FROM parent WHERE id = 3; DELETE FROM fresh; INSERT INTO unknown VALUES (1, 'zzz')", Stop);
        await database.Execute("SET session_replication_role = replica; INSERT INTO stranger VALUES (1, 902), (2, 903)", Stop);
        await database.Execute("VACUUM parent", Stop);

        var report = await Scrubbing.With(new ForeignKeyCheck(ConsistencyRules.None), database, Stop);
        string? Cause(string key) => Assert.Single(report.Findings, f => f.Target.Rule == key).Facts.GetValueOrDefault(FactNames.Cause);

        Assert.Contains("parent_id_seq has given the keys that they look for", Cause("deleted_fk"), StringComparison.Ordinal);
        Assert.Contains("never were here", Cause("stranger_fk"), StringComparison.Ordinal);
        Assert.Contains("one transaction wrote all of these rows", Cause("stranger_fk"), StringComparison.Ordinal);
        Assert.Contains("triggers are disabled", Cause("off_fk"), StringComparison.Ordinal);
        Assert.Contains("older than the constraint", Cause("old_fk"), StringComparison.Ordinal);
        Assert.Contains("still there", Cause("still_fk"), StringComparison.Ordinal);
        Assert.Null(Cause("unknown_fk"));
        Assert.Contains("likely cause: ", Assert.Single(report.Findings, f => f.Target.Rule == "stranger_fk").Evidence, StringComparison.Ordinal);
    }
}
