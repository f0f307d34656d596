using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

public sealed class OrphanRepairTests(Servers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Orphans_go_to_quarantine_and_every_other_row_stays_as_it_was(int major)
    {
        await using var database = await servers.Database(major, Token);
        var sound = await database.Fingerprint(Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");

        var report = await ward.Heal(await ward.TheCase(Faults.RowOrphaned));

        ward.AssertHealed(report);
        Assert.Equal(3, report.RowsQuarantined);
        Assert.Empty(sound.CompareWith(await database.Fingerprint(Token)).Tables);
        Assert.Equal(3L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine WHERE case_id IS NOT NULL AND restored_at IS NULL", Token));
        Assert.Equal(1L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.audit_log WHERE event_type = 'rows-repaired'", Token));
        Assert.Equal("""{"weight": 1, "genre_id": 1, "movie_id": 8000001}""", await database.Scalar<string>(
            "SELECT display::text FROM kintsugi.quarantine ORDER BY display ->> 'movie_id' LIMIT 1", Token));
        Assert.Empty(await ward.Cases());
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task What_refers_to_an_orphan_goes_with_it_children_first(int major)
    {
        await using var database = await servers.Database(major, Token);
        var sound = await database.Fingerprint(Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanTwoLevels()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var found = await ward.TheCase(Faults.RowOrphaned);
        var plan = (await ward.Propose(found)).Plan!;

        var report = await ward.Heal(found);

        Assert.Equal(4, plan.RowsQuarantined);
        Assert.Contains(plan.Warnings, warning => warning.Contains("3 rows of public.episodes", StringComparison.Ordinal));
        ward.AssertHealed(report);
        Assert.Empty(sound.CompareWith(await database.Fingerprint(Token)).Tables);
        var kept = await database.Query("SELECT relation_name FROM kintsugi.quarantine ORDER BY id", Token);
        Assert.Equal(["\"public\".\"episodes\"", "\"public\".\"episodes\"", "\"public\".\"episodes\"", "\"public\".\"seasons\""], kept.Select(row => row[0]));
    }

    [Fact]
    public async Task Composite_partitioned_and_self_referring_orphans_are_healed_too()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name,
            [new OrphanComposite(), new OrphanInPartition(), new OrphanOfPartitionedParent()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var cases = await ward.Cases();

        foreach (var healing in cases)
            ward.AssertHealed(await ward.Heal(healing));

        Assert.Equal(3, cases.Count);
        Assert.Empty(await ward.Cases());
    }

    [Theory, InlineData("set_null"), InlineData("report"), InlineData("set_default")]
    public async Task The_owners_choice_for_a_constraint_is_followed(string choice)
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        var sound = await database.Fingerprint(Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSelfReference()], Token);
        var repair = choice switch
        {
            "set_null" => (RowRepair)new RowRepair.SetNull(),
            "set_default" => new RowRepair.SetDefault(),
            _ => new RowRepair.Report(),
        };
        await using var ward = await RowWard.Open(database, new ConsistencyRules
        {
            Constraints = [new ConstraintChoice(new ObjectName("public", "movies"), "movies_sequel_of_fkey", repair)],
        }, "foreign-key");

        var report = await ward.Heal(await ward.TheCase(Faults.RowOrphaned), RowWard.Permissive with { Allow = Grade.Lossless });

        if (choice == "report")
        {
            Assert.Contains("report", Assert.IsType<Outcome.Escalated>(report.Outcome).Reason);
            return;
        }
        ward.AssertHealed(report);
        Assert.Equal(2, report.RowsChanged);
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM movies WHERE sequel_of = 8000009", Token));
        var changes = sound.CompareWith(await database.Fingerprint(Token));
        Assert.All(changes.Tables, table => Assert.Equal("\"public\".\"movies\"", table.Table));
        Assert.Equal(2L, await database.Scalar<long>(
            "SELECT count(*) FROM kintsugi.quarantine WHERE kind = 'changed' AND changed = '{sequel_of}' AND display ->> 'sequel_of' = '8000009'", Token));
    }

    [Fact]
    public async Task Without_the_word_of_a_person_reversible_repairs_wait()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        var injured = await database.Fingerprint(Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");

        var report = await ward.Heal(await ward.TheCase(Faults.RowOrphaned), RowWard.Permissive with { Allow = Grade.Lossless });

        Assert.Contains("--allow reversible", Assert.IsType<Outcome.Waiting>(report.Outcome).Reason);
        Assert.Empty(injured.CompareWith(await database.Fingerprint(Token)).Tables);
    }

    [Fact]
    public async Task A_damaged_parent_table_protects_its_children()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var orphans = Assert.Single(await ward.Cases()).Findings[0];
        var damage = new Finding(Faults.HeapCorrupt,
            orphans.Target with { Relation = "movies", Object = "movies", Rule = null }, "a tuple is damaged");
        var found = Diagnosis.Cases([orphans, damage]).Single(healing => healing.Fault == Faults.RowOrphaned);

        var report = await ward.Heal(found);

        Assert.Contains("public.movies is damaged", Assert.IsType<Outcome.Escalated>(report.Outcome).Reason);
        Assert.Equal(3L, await database.Scalar<long>("SELECT count(*) FROM movie_genres WHERE movie_id > 8000000", Token));
    }
}
