using Kintsugi.Postgres.Checks.Owner;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Checks.Values;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

/// <summary>A table that is read in pieces says the same as one that is read in one go; a time limit ends between the pieces, and says so.</summary>
public sealed class SliceTests(Servers servers)
{
    private const string Schema = """{"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "pattern": "^x"}}}""";

    private static readonly ConsistencyRules Rules = new()
    {
        Json = [new("doc", new ObjectName("public", "child"), "doc", Schema, true, new RowRepair.Report(), null)],
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Pieces_and_the_whole_find_the_same_rows(int major)
    {
        await using var database = await Injured(major);

        var whole = await Look(database, new Pace(null, TimeProvider.System));
        var pieces = await Look(database, new Pace(null, TimeProvider.System) { MostAtOnce = 1 });

        Assert.Equal(["check-violated small 5", "json-invalid doc 4", "null-forbidden NOT NULL 3", "row-orphaned child_up 7", "text-invalid encoding of w 2"],
            whole.Findings.Where(f => f.Target.Relation == "child").Select(f => $"{f.Fault.Id} {f.Target.Rule} {f.Rows}").Order(StringComparer.Ordinal));
        Assert.Equal(whole.Findings.Select(Told).Order(StringComparer.Ordinal), pieces.Findings.Select(Told).Order(StringComparer.Ordinal));
        Assert.Equal(whole.Examinations.Count, pieces.Examinations.Count);
    }

    [Fact]
    public async Task A_time_limit_ends_what_is_read_in_pieces_and_nothing_is_called_sound_that_was_not_read_to_the_end()
    {
        await using var database = await Injured(TestMajors.Newest);
        var clock = new Impatient();
        await using var factory = new SessionFactory(_ => database.ConnectionString, new SessionLimits());
        var source = await PatientSource.Connect(factory, [database.Name], null, null, new Pace(null, clock) { MostAtOnce = 1 }, Stop);

        var report = await new Scrub([new CheckConstraintCheck(ConsistencyRules.None)], source, clock, null)
            .Run(new ScrubSettings { TimeLimit = TimeSpan.FromSeconds(8), Includes = relation => relation.Name == "child" }, Stop);

        Assert.NotEmpty(report.Examinations);
        Assert.All(report.Examinations, e => Assert.Contains("time limit", Assert.IsType<Verdict.Unchecked>(e.Verdict).Reason, StringComparison.Ordinal));
    }

    private static string Told(Finding finding) => $"{finding.Id} {finding.Rows} {finding.Key} {string.Join(',', finding.Samples.Order(StringComparer.Ordinal))}";

    private static async Task<ScrubReport> Look(TestDatabase database, Pace pace)
    {
        await using var factory = new SessionFactory(_ => database.ConnectionString, new SessionLimits());
        var source = await PatientSource.Connect(factory, [database.Name], null, null, pace, Stop);
        return await new Scrub(RowChecks.All(Rules), source, TimeProvider.System, null).Run(new ScrubSettings { Jobs = 2 }, Stop);
    }

    /// <summary>Some three thousand blocks, which make three pieces, with bad rows in each.</summary>
    private async Task<TestDatabase> Injured(int major)
    {
        var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent SELECT generate_series(1, 100);
            CREATE TABLE child (id int PRIMARY KEY, up int CONSTRAINT child_up REFERENCES parent, v int NOT NULL, w text, doc jsonb, pad text);
            ALTER TABLE child ALTER pad SET STORAGE PLAIN; ALTER TABLE child ALTER v DROP NOT NULL;
            CREATE FUNCTION raw(bytea) RETURNS text LANGUAGE internal STRICT IMMUTABLE AS 'byteasend';
            SET session_replication_role = replica;
            INSERT INTO child SELECT i, CASE WHEN i % 1000 = 1 THEN 777 ELSE 1 + i % 100 END, CASE WHEN i IN (5, 3000, 6500) THEN NULL WHEN i % 1500 = 7 THEN -1 ELSE 1 END,
              CASE WHEN i IN (9, 6900) THEN raw('\xff') ELSE 'ok' END, CASE WHEN i % 2000 = 11 THEN '{"a": "y"}'::jsonb ELSE '{"a": "x"}' END, repeat('p', 3500)
              FROM generate_series(1, 7000) i;
            ALTER TABLE child ADD CONSTRAINT small CHECK (v > 0) NOT VALID;
            UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 'child'::regclass AND attname = 'v';
            """, Stop);
        return database;
    }

    /// <summary>Each look at the clock costs a second.</summary>
    private sealed class Impatient : TimeProvider
    {
        private long looks;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddSeconds(Interlocked.Increment(ref looks));
    }
}
