using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

/// <summary>
/// Foreign keys over periods (18): whether the periods that are missing are hidden or lost on the parent's pages cannot be searched for, so a person says
/// yes to each such repair; and a row that others refer to by a period is never moved.
/// </summary>
public sealed class PeriodKeyTests(Servers servers)
{
    private const string Hotel = """
        CREATE EXTENSION IF NOT EXISTS btree_gist;
        CREATE TABLE hotel (id int PRIMARY KEY);
        CREATE TABLE room (id int, during daterange, hotel int CONSTRAINT room_hotel REFERENCES hotel, PRIMARY KEY (id, during WITHOUT OVERLAPS));
        CREATE TABLE stay (id int PRIMARY KEY, room int, during daterange,
          CONSTRAINT stay_room FOREIGN KEY (room, PERIOD during) REFERENCES room (id, PERIOD during));
        INSERT INTO hotel VALUES (1);
        INSERT INTO room VALUES (1, '[2024-01-01,2024-02-01)', 1), (1, '[2024-02-01,2024-03-01)', 1), (2, '[2024-01-01,2025-01-01)', 1);
        INSERT INTO stay VALUES (1, 1, '[2024-01-15,2024-02-15)'), (2, 2, '[2024-05-01,2024-06-01)')
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Children_whose_period_is_not_covered_wait_for_a_person()
    {
        Assert.SkipWhen(TestMajors.Newest < 18, "PERIOD keys came with 18");
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute(Hotel, Token);
        var sound = await database.Fingerprint(Token);
        await database.Execute("SET session_replication_role = replica; INSERT INTO stay VALUES (4, 1, '[2024-02-15,2024-04-01)'), "
            + "(5, 3, '[2024-01-01,2024-01-02)')", Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var found = await ward.TheCase(Faults.RowOrphaned);

        var asked = await ward.Heal(found);
        var reason = Assert.IsType<Outcome.Waiting>(asked.Outcome).Reason;
        Assert.Contains("stay_room refers by a period", reason, StringComparison.Ordinal);
        await ward.Ledger.Append(new Fact(found.Id, "", Facts.Approved, "", Facts.Data(("plan", asked.Plan!.Hash)), TimeProvider.System.GetUtcNow()), Token);
        var healed = await ward.Heal(found);

        ward.AssertHealed(healed);
        Assert.Equal(2, healed.RowsQuarantined);
        Assert.Empty(sound.CompareWith(await database.Fingerprint(Token)).Tables);
        Assert.Equal("4 5", await database.Scalar<string>("SELECT string_agg(key ->> 'id', ' ' ORDER BY key ->> 'id') FROM kintsugi.quarantine", Token));
    }

    /// <summary>A part of the parent's periods may be hidden: what the owner chose for the constraint is no search for it.</summary>
    [Fact]
    public async Task The_owners_rule_for_such_a_key_does_not_speak_for_the_parents()
    {
        Assert.SkipWhen(TestMajors.Newest < 18, "PERIOD keys came with 18");
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute(Hotel, Token);
        await database.Execute("SET session_replication_role = replica; DELETE FROM room WHERE id = 2", Token);
        var injured = await database.Fingerprint(Token);
        foreach (RowRepair choice in (RowRepair[])[new RowRepair.Quarantine(), new RowRepair.SetNull()])
        {
            await using var ward = await RowWard.Open(database, new ConsistencyRules
            {
                Constraints = [new ConstraintChoice(new ObjectName("public", "stay"), "stay_room", choice)],
            }, "foreign-key");
            Assert.Contains("refers by a period", (await ward.Heal(await ward.TheCase(Faults.RowOrphaned))).Outcome.Why, StringComparison.Ordinal);
        }
        Assert.Empty(injured.CompareWith(await database.Fingerprint(Token)).Tables);
    }

    [Fact]
    public async Task A_parent_that_others_refer_to_by_a_period_is_not_moved()
    {
        Assert.SkipWhen(TestMajors.Newest < 18, "PERIOD keys came with 18");
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute(Hotel, Token);
        await database.Execute("SET session_replication_role = replica; UPDATE room SET hotel = 77 WHERE id = 2", Token);
        var injured = await database.Fingerprint(Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");

        var report = await ward.Heal(await ward.TheCase(Faults.RowOrphaned));

        Assert.Contains("stay_room refers to it by a period", Assert.IsType<Outcome.Escalated>(report.Outcome).Reason, StringComparison.Ordinal);
        Assert.Empty(injured.CompareWith(await database.Fingerprint(Token)).Tables);
    }
}
