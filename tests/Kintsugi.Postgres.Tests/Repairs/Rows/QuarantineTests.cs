using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

public sealed class QuarantineTests(Servers servers)
{
    /// <summary>Values that jsonb, casts or careless text would alter.</summary>
    private const string Zoo = """
        CREATE TYPE "odd ""type" AS (a integer, b text);
        CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"');
        CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE <= 100);
        CREATE TABLE parents (id integer PRIMARY KEY);
        CREATE TABLE "we;ird""name" (
          "Primary Key" integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent integer REFERENCES parents, "a.b c" text,
          grid integer[], minus float8, single real, nan numeric, exact numeric, doc jsonb, old json, bytes bytea, pair "odd ""type", feeling mood,
          share percent, twice integer GENERATED ALWAYS AS (parent * 2) STORED, code char(5), span interval, at_time timetz, moment timestamptz,
          tree xml, bits varbit(20), tiny "char", nothing "odd ""type", net inet, area box, during tstzrange, flags boolean[], "🎬" text[]);
        ALTER TABLE "we;ird""name" DROP COLUMN net;
        INSERT INTO parents VALUES (1);
        """;

    private const string Animals = """
        SET session_replication_role = replica;
        INSERT INTO "we;ird""name" (parent, "a.b c", grid, minus, single, nan, exact, doc, old, bytes, pair, feeling, share, code, span, at_time, moment,
            tree, bits, tiny, nothing, area, during, flags, "🎬") VALUES
        (77, E'tab\t "quotes" \\back, {}', '[0:1][-1:0]={{1,NULL},{3,4}}', '-0', 0.1, 'NaN', 1.5000, '{"b": "\\u0000", "a": [1, {"x": null}]}', '{"b":1, "b":2 , "a":  "\u0000"}',
         '\x00ff', ROW(1, NULL), 'it''s "ok"', 12.50, 'ab', '1 mon 30 days -04:05:06.7', '10:00:00+05:30', '2026-01-01 00:00:00.123456+00', '<a b="c">d</a>',
         B'10110', 'x', ROW(NULL, NULL), '((1,2),(3,4))', '[2026-01-01 00:00+00,)', '{t,f,NULL}', '{"a,b","c\"d",NULL,""}'),
        (78, '', '{}', 'Infinity', -3.4e38, 0.00, -0.000, 'null', 'null', '', NULL, NULL, NULL, '', '0', NULL, 'infinity', NULL, B'', NULL, NULL, NULL, 'empty', '{}', '{}')
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task What_was_put_away_comes_back_byte_for_byte_or_the_constraint_is_named(int major)
    {
        await using var database = await servers.Database(major, Token);
        await database.Execute(Zoo, Token);
        await database.Execute(Animals, Token);
        var before = await database.Fingerprint(Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var report = await ward.Heal(await ward.TheCase(Faults.RowOrphaned));
        var quarantine = new Quarantine(ward.Factory, Room(ward), database.Name);
        ward.AssertHealed(report);
        Assert.Equal(2, report.RowsQuarantined);
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM \"we;ird\"\"name\"", Token));

        var refused = await Assert.ThrowsAsync<HealingException>(async () => await quarantine.Restore("test", Quarantine.OfCase, Token, report.Case.Id));
        var untouched = await database.Scalar<long>("SELECT count(*) FROM \"we;ird\"\"name\"", Token);
        await database.Execute("INSERT INTO parents VALUES (77), (78)", Token);
        var restored = await quarantine.Restore("test", Quarantine.OfCase, Token, report.Case.Id);
        await database.Execute("DELETE FROM parents WHERE id > 1 AND id NOT IN (77, 78)", Token);

        Assert.Contains("we;ird\"name_parent_fkey", refused.Message);
        Assert.Equal(0, untouched);
        Assert.Equal(2, restored);
        var difference = Assert.Single(before.CompareWith(await database.Fingerprint(Token)).Tables);
        Assert.Equal("\"public\".\"parents\"", difference.Table);
        Assert.Equal(0, await quarantine.Restore("test", Quarantine.OfCase, Token, report.Case.Id));
    }

    [Fact]
    public async Task Changed_values_come_back_unless_somebody_changed_them_since()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSelfReference()], Token);
        await using var ward = await RowWard.Open(database, SetNull, "foreign-key");
        var found = await ward.TheCase(Faults.RowOrphaned);
        ward.AssertHealed(await ward.Heal(found));
        var quarantine = new Quarantine(ward.Factory, Room(ward), database.Name);
        await database.Execute("UPDATE movies SET sequel_of = 1 WHERE id = 21", Token);

        var refused = await Assert.ThrowsAsync<HealingException>(async () => await quarantine.Restore("test", Quarantine.OfCase, Token, found.Id));
        await database.Execute("UPDATE movies SET sequel_of = NULL WHERE id = 21; ALTER TABLE movies DROP CONSTRAINT movies_sequel_of_fkey", Token);
        var restored = await quarantine.Restore("test", Quarantine.OfCase, Token, found.Id);

        Assert.Contains("changed", refused.Message);
        Assert.Equal(2, restored);
        Assert.Equal(2L, await database.Scalar<long>("SELECT count(*) FROM movies WHERE sequel_of = 8000009 AND id IN (21, 22)", Token));
    }

    [Fact]
    public async Task Uninstall_refuses_while_rows_lie_in_quarantine()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        ward.AssertHealed(await ward.Heal(await ward.TheCase(Faults.RowOrphaned)));
        var quarantine = new Quarantine(ward.Factory, Room(ward), database.Name);

        var refused = await Assert.ThrowsAsync<HealingException>(async () => await quarantine.Uninstall(Token));
        var (lost, all) = await quarantine.Purge("true", Token);
        var removed = await quarantine.Uninstall(Token);

        Assert.Contains("3 rows lie in quarantine", refused.Message);
        Assert.Equal((3, 3), (lost, all));
        Assert.True(removed);
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM pg_namespace WHERE nspname = 'kintsugi'", Token));
        Assert.False(await quarantine.Uninstall(Token));
    }

    [Fact]
    public async Task Nobody_else_sees_the_quarantine()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        ward.AssertHealed(await ward.Heal(await ward.TheCase(Faults.RowOrphaned)));

        var seen = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.Execute(
            "SET ROLE pg_monitor; SELECT count(*) FROM kintsugi.quarantine", Token));

        Assert.Equal("42501", seen.SqlState);
    }

    private static ConsistencyRules SetNull { get; } = new()
    {
        Constraints = [new ConstraintChoice(new ObjectName("public", "movies"), "movies_sequel_of_fkey", new RowRepair.SetNull())],
    };

    private static OperatingRoom Room(RowWard ward) => new(ward.Factory, ward.Source.Server, TimeProvider.System);
}
