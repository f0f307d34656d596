using Kintsugi.Postgres.Checks.Collations;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks;

public sealed class CollationCheckTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private const string Words = """
        CREATE COLLATION "my;coll" (provider = icu, locale = 'de'); CREATE COLLATION still (provider = icu, locale = 'sv');
        CREATE TABLE w (id int PRIMARY KEY, t text COLLATE "my;coll", u text COLLATE still, n text COLLATE "C",
                        CONSTRAINT ordered CHECK (t < 'zz'), CONSTRAINT sized CHECK (length(t) < 99));
        CREATE INDEX w_key ON w (t); CREATE INDEX w_expression ON w ((t || 'x')); CREATE INDEX w_predicate ON w (id)
            WHERE t > 'b';
        CREATE INDEX w_named ON w ((n COLLATE "my;coll")); CREATE INDEX w_bytes ON w (t text_pattern_ops); CREATE INDEX w_hash ON w USING hash (t);
        CREATE INDEX w_other ON w (u); CREATE INDEX w_included ON w (id) INCLUDE (t); CREATE INDEX w_c ON w (n);
        CREATE TYPE words AS RANGE (subtype = text, collation = "my;coll"); CREATE TABLE r (s words); CREATE INDEX r_range ON r (s);
        CREATE TABLE p (k text COLLATE "my;coll") PARTITION BY RANGE (k); CREATE TABLE h (k text COLLATE "my;coll") PARTITION BY HASH (k);
        CREATE MATERIALIZED VIEW m AS SELECT t FROM w
        """;

    [Theory, InlineData(13), InlineData(15), InlineData(18)]
    public async Task A_changed_collation_is_one_case_with_exactly_its_dependants(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute(Words, Stop);
        Assert.Empty((await Ward.Examine(database, new CollationCheck(), Depth.Quick, Stop)).Findings);
        Assert.Equal(1, await database.Injure("UPDATE pg_collation SET collversion = '1.2.3' WHERE collname = 'my;coll'", Stop));

        var report = await Ward.Examine(database, new CollationCheck(), Depth.Quick, Stop);

        Assert.Equal(["my;coll", "p", "r_range", "w ordered", "w_expression", "w_key", "w_named", "w_predicate"],
            report.Findings.Select(f => $"{f.Target.Object} {f.Target.Rule}".TrimEnd()).Order(StringComparer.Ordinal));
        Assert.Single(Diagnosis.Cases(report.Findings));
        Assert.Contains("\"public\".\"m\"", report.Findings.Single(f => f.Target.Object == "my;coll").Facts["materialized view"],
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_collation_of_the_database_names_the_database()
    {
        await using var database = await servers.Database(15, Stop);
        await database.Execute("CREATE COLLATION unused (provider = icu, locale = 'de'); UPDATE pg_collation SET collversion = "
            + "'9' WHERE collname = 'unused'", Stop);
        await database.Injure("UPDATE pg_database SET datcollversion = '0' WHERE datname = current_database()", Stop);

        var report = await Ward.Examine(database, new CollationCheck(), Depth.Quick, Stop);

        // The C locale has no version at all, so that a recorded one is foreign to it.
        var finding = Assert.Single(report.Findings, f => f.Target.Kind == TargetKind.Database);
        Assert.Equal((database.Name, "default collation"), (finding.Target.Database, finding.Target.Rule));
        Assert.DoesNotContain(report.Findings, f => f.Target.Object == "unused");
    }

    [Fact]
    public async Task The_fingerprint_tells_orders_apart_and_stays()
    {
        await using var database = await servers.Database(15, Stop);
        await database.Execute("CREATE COLLATION de (provider = icu, locale = 'de'); CREATE COLLATION sv (provider = icu, "
            + "locale = 'sv')", Stop);
        await using var factory = new SessionFactory(_ => database.ConnectionString, new SessionLimits());
        await using var session = await factory.OpenRead(null, Stop);

        var de = await CollationFingerprint.Compute(session, "public.de", "UTF8", Stop);

        Assert.Equal(de, await CollationFingerprint.Compute(session, "public.de", "UTF8", Stop));
        Assert.NotEqual(de, await CollationFingerprint.Compute(session, "public.sv", "UTF8", Stop));
        Assert.NotEqual(de, await CollationFingerprint.Compute(session, null, "UTF8", Stop));
    }
}
