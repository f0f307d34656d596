using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

/// <summary>A lost parent is known by the constraint's own equality, however its key is spelt, and who came after its return is told from who was there before.</summary>
public sealed class ParentEqualityTests(Servers servers)
{
    /// <summary>Type of the key with its collation, the parent's spelling, and the child's.</summary>
    private static readonly (string Name, string Parent, string Child, string Key, string Seeks)[] Keys =
    [
        ("numbers", "numeric", "numeric", "1.00", "1"), ("whole", "numeric", "int", "5.000", "5"), ("zero", "float8", "float4", "-0", "0"),
        ("blanks", "char(6)", "char(4)", "ab", "ab"), ("texts", "text", "varchar(9)", "same", "same"), ("names", "name", "text", "n", "n"),
        ("spans", "interval", "interval", "1 mon", "30 days"), ("folded", "ext.citext", "ext.citext", "Drama", "DRAMA"),
        ("loose", "text COLLATE nocase", "text COLLATE nocase", "Ämt", "äMT"), ("lists", "numeric[]", "numeric[]", "{1.0}", "{1.00}"),
        ("wrapped", "int", "own", "3", "3"), ("days", "date", "date", "2024-02-29", "2024-02-29"),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_deleted_parent_is_found_under_any_spelling_of_its_key_and_comes_back_once(int major)
    {
        await using var database = await servers.Database(major, Token);
        await database.Execute("""
            CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE DOMAIN own AS int; CREATE EXTENSION IF NOT EXISTS pageinspect;
            CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            """, Token);
        foreach (var (name, parent, child, key, seeks) in Keys)
            await database.Execute($"""
                CREATE TABLE {name}_p (k {parent} PRIMARY KEY, note text) WITH (autovacuum_enabled = off);
                CREATE TABLE {name}_c (id int PRIMARY KEY, k {child} CONSTRAINT {name}_fk REFERENCES {name}_p);
                INSERT INTO {name}_p VALUES ('{key}', 'old'); UPDATE {name}_p SET note = 'last'; INSERT INTO {name}_c VALUES (1, '{seeks}'), (2, NULL);
                SET session_replication_role = replica; DELETE FROM {name}_p
                """, Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var cases = await ward.Cases();

        Assert.Equal(Keys.Select(key => $"{key.Name}_fk").Order(), cases.Select(found => found.Target.Rule).Order());
        foreach (var found in cases)
        {
            Assert.True(found.Findings[0].Facts.ContainsKey(FactNames.ParentSuspect), found.Target.Rule);
            var waiting = Assert.IsType<Outcome.Waiting>((await ward.Heal(found)).Outcome);
            Assert.True(waiting.Plan.RowsChanged == 1, $"{found.Target.Rule}: {waiting.Plan.Steps[0].Do}");
            await ward.Ledger.Append(new Fact(found.Id, found.Target.Server, Facts.Approved, "approved", Facts.Data(("plan", waiting.Plan.Hash)),
                TimeProvider.System.GetUtcNow()), Token);
            ward.AssertHealed(await ward.Heal(found));
            var table = found.Target.Rule!.Replace("_fk", "_p", StringComparison.Ordinal);
            Assert.Equal("last", await database.Scalar<string>($"SELECT note FROM {table}", Token));
        }
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_child_that_an_older_transaction_wrote_after_the_parent_came_back_keeps_it(int major)
    {
        await using var database = await servers.Database(major, Token);
        await database.Execute("""
            CREATE EXTENSION IF NOT EXISTS pageinspect; CREATE TABLE other (n int);
            CREATE TABLE parent (id int PRIMARY KEY) WITH (autovacuum_enabled = off); CREATE TABLE child (id int PRIMARY KEY, up int REFERENCES parent);
            INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1); SET session_replication_role = replica; DELETE FROM parent
            """, Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var found = await ward.TheCase(Faults.RowOrphaned);
        // Its id is older than the parent's second life.
        await using var older = await database.Cluster.Connect(database.Name, Token);
        await new NpgsqlCommand("BEGIN; INSERT INTO other VALUES (1)", older).ExecuteNonQueryAsync(Token);
        var plan = Assert.IsType<Outcome.Waiting>((await ward.Heal(found)).Outcome).Plan;
        await ward.Ledger.Append(new Fact(found.Id, found.Target.Server, Facts.Approved, "approved", Facts.Data(("plan", plan.Hash)), TimeProvider.System.GetUtcNow()), Token);
        ward.AssertHealed(await ward.Heal(found));
        await new NpgsqlCommand("SAVEPOINT s; INSERT INTO child VALUES (2, 1); COMMIT", older).ExecuteNonQueryAsync(Token);
        var quarantine = new Quarantine(ward.Factory, new OperatingRoom(ward.Factory, ward.Source.Server, TimeProvider.System), database.Name);

        var refused = await Assert.ThrowsAsync<HealingException>(async () => await quarantine.Restore("test", Quarantine.OfCase, Token, found.Id));
        await database.Execute("DELETE FROM child WHERE id = 2", Token);
        var undone = await quarantine.Restore("test", Quarantine.OfCase, Token, found.Id);

        Assert.Contains("came later", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, undone);
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM parent", Token));
    }
}
