using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;

namespace Kintsugi.Postgres.Tests.Checks;

/// <summary>Small relations are looked at together; the answers must be those that each would get alone.</summary>
public sealed class CommonLookTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private const string Tables = """
        DO $$ BEGIN FOR n IN 1..120 LOOP
          EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, body text NOT NULL, tag text, CHECK (id > 0))', n);
          EXECUTE format('CREATE INDEX ON t%s (lower(tag)) WHERE tag IS NOT NULL', n);
          IF n % 3 > 0 THEN
            EXECUTE format('INSERT INTO t%s SELECT g, repeat(md5(g::text), g %% 7 * 40), nullif(g %% 4, 0) FROM generate_series(1, 40) g', n);
          END IF;
        END LOOP; END $$;
        CREATE UNLOGGED TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1);
        CREATE TABLE p (id int, PRIMARY KEY (id)) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10);
        INSERT INTO p VALUES (3);
        """;

    private static readonly string[] Injuries =
    [
        // A lost entry and a duplicate, as an index leaves them that was not asked.
        "UPDATE pg_index SET indisready = false WHERE indexrelid = 't7_pkey'::regclass",
        "INSERT INTO t7 VALUES (5, 'twice')",
        "UPDATE pg_index SET indisready = true WHERE indexrelid = 't7_pkey'::regclass",
        // NULL where none may be, and a CHECK that was not looked at.
        "UPDATE pg_attribute SET attnotnull = false WHERE attrelid = 't8'::regclass AND attname = 'body'",
        "INSERT INTO t8 VALUES (100, NULL)",
        "UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 't8'::regclass AND attname = 'body'",
        "UPDATE pg_class SET relchecks = 0 WHERE oid = 't10'::regclass",
        "INSERT INTO t10 VALUES (-1, 'below')",
        "UPDATE pg_class SET relchecks = 1 WHERE oid = 't10'::regclass",
    ];

    [Theory, InlineData(13), InlineData(15), InlineData(18)]
    public async Task Together_or_alone_the_answers_are_the_same(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("CREATE EXTENSION IF NOT EXISTS amcheck; CREATE EXTENSION IF NOT EXISTS pg_visibility", Stop);
        await database.Execute(Tables, Stop);
        foreach (var injury in Injuries)
            Assert.Equal(1, await database.Injure(injury, Stop));
        await database.Execute("VACUUM (ANALYZE)", Stop);
        await database.Execute("CHECKPOINT", Stop);

        var together = await Scrub(database, PostgresRegistry.Create().Checks);
        var alone = await Scrub(database, [.. PostgresRegistry.Create().Checks.Select(check => check is IBatchCheck ? new Alone(check) : check)]);

        Assert.Equal(Said(alone), Said(together));
        Assert.Equal(alone.Findings.Select(finding => finding.Id).Order(), together.Findings.Select(finding => finding.Id).Order());
        var accused = together.Examinations.Where(e => e.Verdict is Verdict.Damaged && e.Target.Schema == "public")
            .Select(e => $"{e.Check} {e.Target.Relation}").ToHashSet();
        Assert.Equal(["btree t7", "check-constraint t10", "check-constraint t8", "index-entries t7", "uniqueness t7"], accused.Order());
        Assert.Contains(together.Examinations, e => e is { Check: "btree", Target.Object: "t120_pkey", Verdict: Verdict.Sound });
    }

    private static IEnumerable<string> Said(ScrubReport report) => report.Examinations.Where(e => e.Target.Database is not null)
        .Select(e => $"{e.Check} {e.Target.Name} {e.Target.Rule}: {e.Verdict.Word} {e.Verdict.Why}").Order(StringComparer.Ordinal);

    private static async Task<ScrubReport> Scrub(TestDatabase database, IReadOnlyList<ICheck> checks)
    {
        await using var factory = new SessionFactory(name => database.Cluster.ConnectionString(name ?? database.Name), new SessionLimits());
        var source = await PatientSource.Connect(
            factory, [database.Name], null, database.Cluster.DataDirectory, new Pace(null, TimeProvider.System), Stop);
        return await new Scrub(checks, source, TimeProvider.System, null).Run(new ScrubSettings { Jobs = 2 }, Stop);
    }

    /// <summary>The same check, which nobody knows to be able to look at many pieces.</summary>
    private sealed class Alone(ICheck check) : ICheck
    {
        public string Id => check.Id;
        public string Proves => check.Proves;
        public Layer Layer => check.Layer;
        public Depth Depth => check.Depth;
        public Needs Needs => check.Needs;
        public IReadOnlyList<FaultClass> Finds => check.Finds;
        public Scope Scope => check.Scope;

        public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
            check.Divide(patient, depth, cancellationToken);

        public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken) =>
            check.Examine(portion, patient, cancellationToken);
    }
}
