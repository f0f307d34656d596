using Kintsugi.Postgres.Checks.Catalog;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks;

public sealed class EnforcementCheckTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private const string Web = """
        CREATE TABLE p (id int, k int, PRIMARY KEY (id, k)) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 (k int NOT NULL, id int NOT NULL,
            PRIMARY KEY (id, k));
        CREATE TABLE c (id int, k int, FOREIGN KEY (id, k) REFERENCES p ON DELETE CASCADE) PARTITION BY LIST (k);
        CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1); CREATE TABLE c2 (id int, k int, FOREIGN KEY (id,
            k) REFERENCES p ON DELETE CASCADE);
        ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20); ALTER TABLE c ATTACH PARTITION c2 FOR VALUES IN (2);
        CREATE TABLE c3 PARTITION OF c DEFAULT; ALTER TABLE c DETACH PARTITION c3;
        CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree,
            "other;ref" int REFERENCES tree ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED)
        """;

    [Theory, InlineData(13), InlineData(15), InlineData(18)]
    public async Task Foreign_keys_between_partitioned_tables_are_in_force(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute(Web, Stop);

        Ward.AssertSound(await Ward.Examine(database, new EnforcementCheck(), Depth.Quick, Stop));
    }

    [Theory]
    [InlineData("ALTER TABLE tree DISABLE TRIGGER ALL", "tree_up_fkey", "disabled", 2)]
    [InlineData("DELETE FROM pg_trigger WHERE tgconstraint = (SELECT oid FROM pg_constraint WHERE conname = 'tree_up_fkey') "
        + "AND tgname LIKE '%ConstraintTrigger_a%'",
        "tree_up_fkey", "missing", 1)]
    [InlineData("UPDATE pg_trigger SET tgfoid = '\"RI_FKey_check_upd\"'::regproc WHERE tgconstraint = (SELECT oid FROM pg_constraint WHERE conname = 'tree_up_fkey') "
        + "AND tgfoid = '\"RI_FKey_check_ins\"'::regproc", "tree_up_fkey", "missing", 1)]
    [InlineData("UPDATE pg_trigger SET tgtype = 17 WHERE tgconstraint = (SELECT oid FROM pg_constraint WHERE conname = 'tree_up_fkey') AND tgtype = 9",
        "tree_up_fkey", "missing", 1)]
    [InlineData("ALTER TABLE tree ADD CONSTRAINT late CHECK (id > 0) NOT VALID", "late", "not-valid", 1)]
    public async Task Finds_what_is_not_in_force_and_only_that(string injury, string name, string kind, int findings)
    {
        await using var database = await servers.Database(15, Stop);
        await database.Execute(Web, Stop);
        await database.Execute(injury, Stop);

        var report = await Ward.Examine(database, new EnforcementCheck(), Depth.Quick, Stop);

        Assert.Equal(findings, report.Findings.Count);
        Assert.All(report.Findings, finding => Assert.Equal(("tree", Faults.ConstraintUnenforced), (finding.Target.Relation,
            finding.Fault)));
        Assert.Contains(report.Findings, finding => finding.Target.Rule == name && finding.Facts["kind"] == kind);
    }

    [Fact]
    public async Task Tells_of_constraints_that_are_declared_not_enforced()
    {
        await using var database = await servers.Database(18, Stop);
        await database.Execute("CREATE TABLE loose (id int CONSTRAINT lax CHECK (id > 0) NOT ENFORCED, g bigint REFERENCES "
            + "genres NOT ENFORCED)", Stop);

        var report = await Ward.Examine(database, new EnforcementCheck(), Depth.Quick, Stop);

        Assert.Equal(2, report.Findings.Count);
        Assert.All(report.Findings, finding => Assert.Equal((Severity.Info, "declared"), (finding.Severity,
            finding.Facts["kind"])));
    }
}
