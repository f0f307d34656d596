using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

/// <summary>Rows that an exclusion constraint forbids beside each other: the fewest leave, and the constraint holds again.</summary>
public sealed class ConflictTests(Servers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task The_row_that_came_later_leaves_once_a_person_approves(int major)
    {
        await using var database = await servers.Database(major, Token);
        var sound = await database.Fingerprint(Token);
        await Injury.Inflict(database.Cluster, database.Name, [new ExclusionViolated()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "uniqueness");
        var found = await ward.TheCase(Faults.UniqueViolated);

        var asked = await ward.Heal(found);
        Assert.True(asked.Outcome is Outcome.Waiting, asked.Outcome.Why);
        await ward.Ledger.Append(new Fact(found.Id, "", Facts.Approved, "", Facts.Data(("plan", asked.Plan!.Hash)), TimeProvider.System.GetUtcNow()), Token);
        var healed = await ward.Heal(found);

        ward.AssertHealed(healed);
        Assert.Equal(1, healed.RowsQuarantined);
        Assert.Empty(sound.CompareWith(await database.Fingerprint(Token)).Tables);
        Assert.Equal("900001", await database.Scalar<string>("SELECT key ->> 'id' FROM kintsugi.quarantine", Token));
        Assert.Equal("23P01", (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.Execute(
            "INSERT INTO screenings SELECT 900002, room, during, movie_id FROM screenings WHERE id = 10", Token))).SqlState);
    }

    [Fact]
    public async Task One_row_that_excludes_many_leaves_rather_than_the_many_where_the_owner_says_so()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("""
            CREATE TABLE slot (id integer PRIMARY KEY, during int4range, EXCLUDE USING gist (during WITH &&));
            CREATE TABLE guest (id integer PRIMARY KEY, slot integer REFERENCES slot);
            INSERT INTO slot SELECT g, int4range(g * 10, g * 10 + 5) FROM generate_series(1, 300) g;
            UPDATE pg_index SET indisready = false WHERE indexrelid = 'slot_during_excl'::regclass
            """, Token);
        await database.Execute("INSERT INTO slot VALUES (999, int4range(1, 2500))", Token);
        await database.Execute("UPDATE pg_index SET indisready = true WHERE indexrelid = 'slot_during_excl'::regclass", Token);
        await using var ward = await RowWard.Open(database, new ConsistencyRules
        {
            Unique = [new UniqueChoice(new ObjectName("public", "slot_during_excl"), new KeepRow.Oldest())],
        }, "uniqueness");

        ward.AssertHealed(await ward.Heal(await ward.TheCase(Faults.UniqueViolated)));

        Assert.Equal(300L, await database.Scalar<long>("SELECT count(*) FROM slot WHERE id < 999", Token));
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM slot WHERE id = 999", Token));
    }

    [Fact]
    public async Task Periods_without_overlaps_are_exclusions_too()
    {
        Assert.SkipWhen(TestMajors.Newest < 18, "WITHOUT OVERLAPS came with 18");
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("""
            CREATE EXTENSION IF NOT EXISTS btree_gist;
            CREATE TABLE stay (room integer, during daterange, PRIMARY KEY (room, during WITHOUT OVERLAPS));
            INSERT INTO stay VALUES (1, '[2024-01-01,2024-02-01)'), (2, '[2024-01-01,2024-02-01)');
            UPDATE pg_index SET indisready = false WHERE indexrelid = 'stay_pkey'::regclass
            """, Token);
        await database.Execute("INSERT INTO stay VALUES (1, '[2024-01-15,2024-03-01)')", Token);
        await database.Execute("UPDATE pg_index SET indisready = true WHERE indexrelid = 'stay_pkey'::regclass", Token);
        await using var ward = await RowWard.Open(database, new ConsistencyRules
        {
            Unique = [new UniqueChoice(new ObjectName("public", "stay_pkey"), new KeepRow.Newest())],
        }, "uniqueness");

        ward.AssertHealed(await ward.Heal(await ward.TheCase(Faults.UniqueViolated), RowWard.Permissive with { Budget = new RepairBudget { SharePerCase = 1 } }));

        Assert.Equal("[2024-01-15,2024-03-01)", await database.Scalar<string>("SELECT during::text FROM stay WHERE room = 1", Token));
        Assert.Equal(1L, await database.Scalar<long>("SELECT count(*) FROM stay WHERE room = 2", Token));
    }
}
