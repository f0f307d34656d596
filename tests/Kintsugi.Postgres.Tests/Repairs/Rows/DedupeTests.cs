using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

public sealed class DedupeTests(Servers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task The_most_referenced_row_stays_once_a_person_approves(int major)
    {
        await using var database = await servers.Database(major, Token);
        var sound = await database.Fingerprint(Token);
        await Injury.Inflict(database.Cluster, database.Name, [new DuplicatesUnderUniqueIndex()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "uniqueness");
        var found = await ward.TheCase(Faults.UniqueViolated);

        var asked = await ward.Heal(found);
        await ward.Ledger.Append(new Fact(found.Id, "", Facts.Approved, "", Facts.Data(("plan", asked.Plan?.Hash)),
            TimeProvider.System.GetUtcNow()), Token);
        var healed = await ward.Heal(found);

        Assert.Contains("which row stays", Assert.IsType<Outcome.Waiting>(asked.Outcome).Reason);
        ward.AssertHealed(healed);
        Assert.Equal(1, healed.RowsQuarantined);
        Assert.Empty(sound.CompareWith(await database.Fingerprint(Token), "\"public\".\"audit_log\"").Tables);
        Assert.Equal("900001", await database.Scalar<string>("SELECT key ->> 'id' FROM kintsugi.quarantine", Token));
        var again = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.Execute(
            "INSERT INTO users (id, handle, email, joined_on) VALUES (900002, 'user7', 'x@example.org', '2026-01-01')", Token));
        Assert.Equal("23505", again.SqlState);
    }

    [Fact]
    public async Task By_the_owners_rule_children_are_led_to_the_row_that_stays()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new DuplicatesUnderUniqueIndex()], Token);
        var old = await database.Scalar<int>("SELECT id FROM users WHERE handle || '' = 'user7' AND id < 900000", Token);
        await database.Execute($"INSERT INTO users (id, handle, email, joined_on, invited_by) VALUES (900005, 'guest', 'g@example.org', '2026-01-01', {old})", Token);
        var children = await database.Scalar<long>($"SELECT count(*) FROM watch_history WHERE user_id = {old}", Token);
        await using var ward = await RowWard.Open(database, new ConsistencyRules
        {
            Unique = [new UniqueChoice(new ObjectName("public", "users_handle_key"), new KeepRow.OrderBy("id desc"))],
        }, "uniqueness");

        var report = await ward.Heal(await ward.TheCase(Faults.UniqueViolated),
            RowWard.Permissive with { Budget = new RepairBudget { SharePerCase = 1 } });

        Assert.True(children > 0);
        ward.AssertHealed(report);
        Assert.Equal(children, await database.Scalar<long>("SELECT count(*) FROM watch_history WHERE user_id = 900001", Token));
        Assert.Equal(900001, await database.Scalar<int>("SELECT invited_by FROM users WHERE id = 900005", Token));
        Assert.Equal(0L, await database.Scalar<long>($"SELECT count(*) FROM users WHERE id = {old}", Token));
        Assert.Equal(children, await database.Scalar<long>(
            "SELECT count(*) FROM kintsugi.quarantine WHERE relation_name LIKE '%watch_history%' AND changed = '{user_id}'", Token));
    }

    /// <summary>The index still promises the planner one row of each key: a join that believes it sees one parent of two.</summary>
    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Rows_that_refer_to_both_duplicates_are_seen_to_refer_to_both(int major)
    {
        await using var database = await servers.Database(major, Token);
        await database.Execute("""
            CREATE TABLE shelf (id integer PRIMARY KEY, label text); CREATE TABLE box (id integer PRIMARY KEY, label text);
            CREATE TABLE on_shelf (id integer PRIMARY KEY, shelf integer REFERENCES shelf);
            CREATE TABLE in_box (id integer PRIMARY KEY, box integer REFERENCES box ON DELETE CASCADE);
            INSERT INTO shelf SELECT i, 's' FROM generate_series(1, 300) i; INSERT INTO box SELECT i, 'b' FROM generate_series(1, 300) i;
            INSERT INTO on_shelf SELECT i, i FROM generate_series(1, 300) i; INSERT INTO in_box SELECT i, i FROM generate_series(1, 300) i;
            """, Token);
        var sound = await database.Fingerprint(Token);
        foreach (var table in new[] { "shelf", "box" })
        {
            await database.Execute($"UPDATE pg_index SET indisready = false WHERE indexrelid = '{table}_pkey'::regclass", Token);
            await database.Execute($"INSERT INTO {table} VALUES (7, 'twice')", Token);
            await database.Execute($"UPDATE pg_index SET indisready = true WHERE indexrelid = '{table}_pkey'::regclass", Token);
        }
        await using var ward = await RowWard.Open(database, new ConsistencyRules
        {
            Unique = [new UniqueChoice(new ObjectName("public", "shelf_pkey"), new KeepRow.Oldest()),
                new UniqueChoice(new ObjectName("public", "box_pkey"), new KeepRow.Oldest())],
        }, "uniqueness");
        var found = (await ward.Cases()).Where(healing => healing.Fault == Faults.UniqueViolated).ToList();

        var shelf = await ward.Heal(found.Single(healing => healing.Target.Relation == "shelf"));
        var box = await ward.Heal(found.Single(healing => healing.Target.Relation == "box"));

        ward.AssertHealed(shelf);
        Assert.Equal(1, shelf.RowsQuarantined);
        // A cascade would take the child along: that is told before anything is touched.
        Assert.Contains("both rows are the parent", Assert.IsType<Outcome.Escalated>(box.Outcome).Reason);
        Assert.Equal(301L, await database.Scalar<long>("SELECT count(*) FROM box WHERE label IS NOT NULL", Token));
        Assert.Empty(sound.CompareWith(await database.Fingerprint(Token), "\"public\".\"box\"").Tables);
    }
}
