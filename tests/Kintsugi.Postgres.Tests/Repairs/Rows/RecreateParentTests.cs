using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

/// <summary>Deleted or hidden parents come back exactly as they were, only with a person's word, and can be taken out again.</summary>
public sealed class RecreateParentTests(Servers servers)
{
    /// <summary>Every stored form that is read from a page: dropped and later columns, nulls, packed, compressed and outside values.</summary>
    private const string House = """
        CREATE TYPE hue AS ENUM ('red', 'it''s "blue"');
        CREATE DOMAIN share AS numeric(7,2);
        CREATE EXTENSION IF NOT EXISTS citext;
        CREATE TABLE studio (id integer PRIMARY KEY, name text NOT NULL) WITH (autovacuum_enabled = off);
        CREATE TABLE film (
          a integer, b text, gone text, studio bigint REFERENCES studio, before_a integer, before_b text, twice integer GENERATED ALWAYS AS (a * 2) STORED,
          i2 smallint, i8 bigint, f4 real, f8 float8, n numeric, s share, ok boolean, d date, t time, tz timetz, ts timestamp, moment timestamptz,
          span interval, u uuid, raw bytea, doc jsonb, old json, feeling hue, code char(5), short varchar(9), word citext, tiny "char", who name,
          grid integer[], words text[], hues hue[], net inet, range cidr, mac macaddr, bits varbit, long_text text, long_doc jsonb, packed text,
          PRIMARY KEY (a, b), FOREIGN KEY (before_a, before_b) REFERENCES film) WITH (autovacuum_enabled = off);
        ALTER TABLE film ALTER COLUMN long_text SET STORAGE EXTERNAL;
        CREATE TABLE scene (id integer PRIMARY KEY, film_a integer, film_b text, FOREIGN KEY (film_a, film_b) REFERENCES film ON DELETE CASCADE);
        INSERT INTO studio SELECT g, 'studio ' || g FROM generate_series(1, 5) g;
        INSERT INTO film (a, b, gone, studio, i2, i8, f4, f8, n, s, ok, d, t, tz, ts, moment, span, u, raw, doc, old, feeling, code, short, word, tiny, who, grid,
            words, hues, net, range, mac, bits, long_text, long_doc, packed) VALUES
        (1, E'é "x" \\', 'gone', 2, -7, 9007199254740993, 1.5e-30, 'NaN', 'NaN', 12.50, true, '2024-02-29', '24:00:00', '10:00:00.25+05:30', '1999-12-31 23:59:59.999999',
         'infinity', '1 mon -3 days 04:05:06.7', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\x00ff27', '{"b": [1, -2.50, {"é\"": null}], "": true}', ' {"b":1, "b":2 }',
         'it''s "blue"', 'ab', 'short', 'WoRd', 'x', 'a name', '[0:1][-1:0]={{1,NULL},{3,4}}', '{"a,b","c\"d\\",NULL,""}', '{red}', '10.0.0.1/8', 'fe80::/10',
         '08:00:2b:01:02:03', B'10110011101', (SELECT string_agg(md5(g::text), '') FROM generate_series(1, 300) g),
         (SELECT jsonb_object_agg('k' || g, md5(g::text)) FROM generate_series(1, 400) g), repeat('packed ', 400)),
        (2, 'two', NULL, NULL, NULL, NULL, 'Infinity', -0.0, -0.00012345000, 0, false, '-infinity', '00:00:00', NULL, NULL, '2026-01-01 00:00:00.000001+00', '0', NULL, '',
         'null', 'null', NULL, '', '', '', NULL, NULL, '{}', '{}', NULL, '::1', NULL, NULL, B'', '', '[]', NULL),
        (3, 'three', 'x', 1, 1, 1, 1, 1, 123456789012345678901234567890.000100, 1, true, 'today', '1:02:03', '1:02:03-08', 'now', 'now', '-1 year', NULL, NULL, '1e400', '1', 'red',
         'abcde', 'x', 'x', 'y', 'z', '{1,2}', '{x}', '{red,"it''s \"blue\""}', '1.2.3.4', NULL, NULL, NULL, NULL, NULL, NULL);
        ALTER TABLE film DROP COLUMN gone;
        ALTER TABLE film ADD COLUMN later integer DEFAULT 7, ADD COLUMN last text;
        UPDATE film SET before_a = 1, before_b = E'é "x" \\' WHERE a = 3;
        INSERT INTO scene VALUES (1, 1, E'é "x" \\'), (2, 2, 'two'), (3, 3, 'three'), (4, NULL, NULL);
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Two_levels_of_deleted_parents_come_back_row_exact_and_undo_takes_them_out_again(int major)
    {
        await using var database = await servers.Database(major, Token);
        await database.Execute(House, Token);
        var sound = await database.Fingerprint(Token);
        await database.Execute("SET session_replication_role = replica; DELETE FROM film; DELETE FROM studio WHERE id < 3", Token);
        var injured = await database.Fingerprint(Token);
        Assert.Equal(2, sound.CompareWith(injured).Tables.Count);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var found = await ward.TheCase(Faults.RowOrphaned);

        var waiting = Waits(await ward.Heal(found));
        Assert.Contains($"kintsugi cases approve {found.Id}", waiting.Reason);
        Assert.Equal("recreate-parent", waiting.Plan.Repair);
        Assert.Equal(5, waiting.Plan.RowsChanged);
        Assert.Empty(injured.CompareWith(await database.Fingerprint(Token)).Tables);

        await Approve(ward, found, waiting.Plan);
        ward.AssertHealed(await ward.Heal(found));
        Assert.Equal([], sound.CompareWith(await database.Fingerprint(Token)).Tables.Select(table => table.ToString()));
        Assert.Empty(await ward.Cases());

        // ON DELETE CASCADE must not take the children along.
        var undone = await new Quarantine(ward.Factory, Room(ward), database.Name).Restore("test", Quarantine.OfCase, Token, found.Id);
        Assert.Equal(5, undone);
        Assert.Equal([], injured.CompareWith(await database.Fingerprint(Token)).Tables.Select(table => table.ToString()));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_hidden_parent_costs_no_child_even_when_it_cannot_be_brought_back(int major)
    {
        await using var own = await servers.Cluster(major, Token);
        await own.Cluster.CreateExtensions(own.Name, Token);
        var sound = await own.Fingerprint(Token);
        await Injury.Inflict(own.Cluster, own.Name, [Injuries.Named("heap-xmax-set")], Token);
        var injured = await own.Fingerprint(Token);
        Assert.NotEmpty(sound.CompareWith(injured).Tables);
        await using var ward = await RowWard.Open(own, ConsistencyRules.None, "foreign-key");
        var cases = await ward.Cases();

        Assert.NotEmpty(cases);
        foreach (var healing in cases)
        {
            // It is made visible on its page, for which a copy of the file comes first; this ward takes none.
            var report = await ward.Heal(healing);
            Assert.Equal("unhide-parent", report.Plan?.Repair);
            Assert.IsType<Outcome.Escalated>(report.Outcome);
            Assert.Empty(injured.CompareWith(await own.Fingerprint(Token)).Tables);
        }
    }

    [Fact]
    public async Task A_parent_in_quarantine_is_put_back_before_its_children_follow_it()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("""
            CREATE TABLE land (id integer PRIMARY KEY); CREATE TABLE town (id integer PRIMARY KEY, land integer REFERENCES land, name text) PARTITION BY LIST (id);
            CREATE TABLE town_1 PARTITION OF town FOR VALUES IN (1, 2); CREATE TABLE town_3 PARTITION OF town FOR VALUES IN (3, 4);
            CREATE TABLE street (id integer PRIMARY KEY, town integer REFERENCES town);
            SET session_replication_role = replica; INSERT INTO town VALUES (3, 9, 'Utopia')
            """, Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        ward.AssertHealed(await ward.Heal(await ward.TheCase(Faults.RowOrphaned)));
        await database.Execute("INSERT INTO land VALUES (9); SET session_replication_role = replica; INSERT INTO street VALUES (1, 3)", Token);
        await database.Execute("VACUUM", Token);
        var found = await ward.TheCase(Faults.RowOrphaned);
        Assert.Equal("street", found.Target.Relation);

        var waiting = Waits(await ward.Heal(found));
        Assert.Contains("quarantine entry", waiting.Plan.Steps[0].Do);
        await Approve(ward, found, waiting.Plan);
        ward.AssertHealed(await ward.Heal(found));

        Assert.Equal("Utopia", await database.Scalar<string>("SELECT name FROM town_3 WHERE id = 3 AND land = 9", Token));
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine WHERE kind = 'removed' AND restored_at IS NULL", Token));
        await new Quarantine(ward.Factory, Room(ward), database.Name).Restore("test", Quarantine.OfCase, Token, found.Id);
        Assert.Equal(1L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine WHERE kind = 'removed' AND restored_at IS NULL", Token));
        Assert.Equal(1L, await database.Scalar<long>("SELECT count(*) FROM street WHERE NOT EXISTS (SELECT FROM town)", Token));
    }

    [Fact]
    public async Task Where_the_owner_chose_it_a_parent_of_which_nothing_is_left_is_made_new()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("""
            CREATE TABLE maker (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'unknown', since date);
            CREATE TABLE thing (id integer PRIMARY KEY, maker integer, CONSTRAINT thing_maker FOREIGN KEY (maker) REFERENCES maker);
            SET session_replication_role = replica; INSERT INTO thing VALUES (1, 70), (2, 70), (3, 71)
            """, Token);
        await using var ward = await RowWard.Open(database, new ConsistencyRules
        {
            Constraints = [new ConstraintChoice(new ObjectName("public", "thing"), "thing_maker", new RowRepair.RecreateParent())],
        }, "foreign-key");
        var found = await ward.TheCase(Faults.RowOrphaned);

        var waiting = Waits(await ward.Heal(found));
        await Approve(ward, found, waiting.Plan);
        ward.AssertHealed(await ward.Heal(found));

        Assert.Equal("70 unknown, 71 unknown", await database.Scalar<string>("SELECT string_agg(id || ' ' || name, ', ' ORDER BY id) FROM maker", Token));
    }

    [Fact]
    public async Task What_never_was_a_row_or_lives_on_under_another_key_is_no_parent()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("""
            CREATE TABLE parent (id integer PRIMARY KEY, note text) WITH (autovacuum_enabled = off);
            CREATE TABLE child (id integer PRIMARY KEY, up integer REFERENCES parent);
            INSERT INTO parent VALUES (2, 'two'), (3, 'first');
            """, Token);
        await database.Execute("BEGIN; INSERT INTO parent VALUES (1, 'rolled back'); ROLLBACK", Token);
        await database.Execute("SET session_replication_role = replica; INSERT INTO child VALUES (1, 1), (2, 2), (3, 3); UPDATE parent SET id = 22 WHERE id = 2", Token);
        await database.Execute("UPDATE parent SET note = 'last' WHERE id = 3", Token);
        await database.Execute("SET session_replication_role = replica; DELETE FROM parent WHERE id = 3", Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var found = await ward.TheCase(Faults.RowOrphaned);

        var plan = (await ward.Propose(found)).Plan!;
        await Approve(ward, found, plan);
        var report = await ward.Heal(found);

        Assert.Equal("22 two, 3 last", await database.Scalar<string>("SELECT string_agg(id || ' ' || note, ', ' ORDER BY note DESC) FROM parent", Token));
        Assert.Equal(3L, await database.Scalar<long>("SELECT count(*) FROM child", Token));
        // For the other two a person must decide.
        Assert.IsType<Outcome.Escalated>(report.Outcome);
    }

    private static Outcome.Waiting Waits(CaseReport report)
    {
        Assert.True(report.Outcome is Outcome.Waiting, $"{report.Outcome.Word}: {report.Outcome.Why}");
        return (Outcome.Waiting)report.Outcome;
    }

    private static async Task Approve(RowWard ward, HealingCase healing, Plan plan) => await ward.Ledger.Append(
        new Fact(healing.Id, healing.Target.Server, Facts.Approved, "approved", Facts.Data(("plan", plan.Hash)), TimeProvider.System.GetUtcNow()), Token);

    private static OperatingRoom Room(RowWard ward) => new(ward.Factory, ward.Source.Server, TimeProvider.System);
}
