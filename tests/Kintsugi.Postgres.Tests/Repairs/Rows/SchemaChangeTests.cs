using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

/// <summary>The table changed between the repair and its undo: rows come back to the columns that they were of, or it is said why not; never half.</summary>
public sealed class SchemaChangeTests(Servers servers)
{
    private const string House = """
        CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
        CREATE TABLE child (id int PRIMARY KEY, up int CONSTRAINT child_up REFERENCES parent, a text, b text, n numeric(6,2), empty text);
        INSERT INTO child VALUES (1, 1, 'one a', 'one b', 1, NULL);
        SET session_replication_role = replica; INSERT INTO child VALUES (7, 77, 'seven a', 'seven b', 12.5, NULL)
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What was done to the table, and what comes of undo: the row as text, or a word of the refusal.</summary>
    private static readonly (string Change, string Row, string? Refusal)[] Removals =
    [
        ("ALTER TABLE child RENAME a TO renamed", "7,77,seven a,seven b,12.50,", null),
        ("ALTER TABLE child RENAME a TO x; ALTER TABLE child RENAME b TO a; ALTER TABLE child RENAME x TO b", "7,77,seven a,seven b,12.50,", null),
        ("ALTER TABLE child RENAME TO renamed_child; CREATE VIEW child AS SELECT * FROM renamed_child", "7,77,seven a,seven b,12.50,", null),
        ("ALTER TABLE child ADD extra int NOT NULL DEFAULT 5", "7,77,seven a,seven b,12.50,,5", null),
        ("ALTER TABLE child ADD extra int; UPDATE child SET extra = 1; ALTER TABLE child ALTER extra SET NOT NULL", "", "extra"),
        ("ALTER TABLE child DROP empty", "7,77,seven a,seven b,12.50", null),
        ("ALTER TABLE child DROP empty, ADD empty text DEFAULT 'new'", "7,77,seven a,seven b,12.50,new", null),
        ("ALTER TABLE child DROP a", "", "no column a"),
        ("ALTER TABLE child DROP a, ADD a text DEFAULT 'other'", "", "no column a"),
        ("ALTER TABLE child ALTER id TYPE bigint", "7,77,seven a,seven b,12.50,", null),
        ("ALTER TABLE child ALTER n TYPE numeric(8,4)", "", "numeric(8,4) now and was of type numeric(6,2)"),
        ("ALTER TABLE child ALTER a TYPE int USING 1", "", "of type integer now and was of type text"),
        ("ALTER TABLE child ADD CONSTRAINT short CHECK (length(b) < 7)", "", "short"),
        ("DROP TABLE child", "", "is gone"),
    ];

    [Fact]
    public async Task A_row_that_left_comes_back_to_its_columns_or_it_is_said_what_stands_against_it()
    {
        foreach (var (change, row, refusal) in Removals)
        {
            await using var database = await servers.Database(TestMajors.Newest, Token);
            await database.Execute(House, Token);
            await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
            var found = await ward.TheCase(Faults.RowOrphaned);
            ward.AssertHealed(await ward.Heal(found));
            await database.Execute($"ALTER TABLE child DROP CONSTRAINT child_up; {change}", Token);

            var why = await Undo(ward, database, found);

            if (refusal is null)
                Assert.True(why is null, $"{change}: {why}");
            else
                Assert.Contains(refusal, why ?? $"{change}: was put back", StringComparison.Ordinal);
            var table = change.Contains("renamed_child", StringComparison.Ordinal) ? "renamed_child" : "child";
            if (!change.StartsWith("DROP", StringComparison.Ordinal))
                Assert.Equal(row, await database.Scalar<string>(
                    $"SELECT coalesce(string_agg(translate(t::text, '()\"', ''), ''), '') FROM {table} t WHERE id = 7", Token));
            Assert.Equal(refusal is null ? 0L : 1L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine WHERE restored_at IS NULL", Token));
        }
    }

    [Fact]
    public async Task A_changed_value_goes_back_into_its_own_row_and_column_and_no_other()
    {
        (string Change, string? Refusal)[] changes =
        [
            ("ALTER TABLE child RENAME up TO parent_id; ALTER TABLE child RENAME id TO child_id", null),
            ("ALTER TABLE child DROP up", "no column up"),
            ("ALTER TABLE child DROP CONSTRAINT child_pkey; ALTER TABLE child ADD other int GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "cannot be found again|not as the repair left"),
            // The row is gone, and another one has the same value in the changed column: it is not taken for it.
            ("ALTER TABLE child RENAME id TO child_id; DELETE FROM child WHERE child_id = 7; INSERT INTO child VALUES (8, NULL, 'eight', '', 1, NULL)", "not as the repair left"),
        ];
        foreach (var (change, refusal) in changes)
        {
            await using var database = await servers.Database(TestMajors.Newest, Token);
            await database.Execute(House, Token);
            await using var ward = await RowWard.Open(database, new ConsistencyRules
            {
                Constraints = [new ConstraintChoice(new ObjectName("public", "child"), "child_up", new RowRepair.SetNull())],
            }, "foreign-key");
            var found = await ward.TheCase(Faults.RowOrphaned);
            ward.AssertHealed(await ward.Heal(found));
            await database.Execute($"ALTER TABLE child DROP CONSTRAINT child_up; {change}", Token);
            var before = await database.Scalar<string>("SELECT string_agg(t::text, ';' ORDER BY t::text) FROM child t", Token);

            var why = await Undo(ward, database, found);

            var after = await database.Scalar<string>("SELECT string_agg(t::text, ';' ORDER BY t::text) FROM child t", Token);
            if (refusal is null)
                Assert.True(why is null && after!.Contains("(7,77,", StringComparison.Ordinal), $"{change}: {why} {after}");
            else
                Assert.True(why is not null && refusal.Split('|').Any(word => why.Contains(word, StringComparison.Ordinal)) && before == after, $"{change}: {why} {after}");
        }
    }

    [Fact]
    public async Task What_the_server_set_to_null_comes_back_without_what_somebody_wrote_beside_it()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("""
            CREATE TABLE top (id int PRIMARY KEY); CREATE TABLE middle (id int PRIMARY KEY, up int REFERENCES top);
            CREATE TABLE low (id int PRIMARY KEY, middle int REFERENCES middle ON DELETE SET NULL, note text);
            SET session_replication_role = replica; INSERT INTO middle VALUES (5, 99); INSERT INTO low VALUES (1, 5, 'before'), (2, 5, 'same')
            """, Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var found = await ward.TheCase(Faults.RowOrphaned);
        ward.AssertHealed(await ward.Heal(found));
        Assert.Equal(2L, await database.Scalar<long>("SELECT count(*) FROM low WHERE middle IS NULL", Token));
        await database.Execute("UPDATE low SET note = 'written since' WHERE id = 1; ALTER TABLE middle DROP CONSTRAINT middle_up_fkey", Token);

        var why = await Undo(ward, database, found);

        Assert.Null(why);
        Assert.Equal("1 5 written since, 2 5 same", await database.Scalar<string>("SELECT string_agg(concat_ws(' ', id, middle, note), ', ' ORDER BY id) FROM low", Token));
    }

    [Fact]
    public async Task What_an_older_version_of_the_quarantine_holds_comes_back_by_its_names()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute(House, Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var found = await ward.TheCase(Faults.RowOrphaned);
        ward.AssertHealed(await ward.Heal(found));
        await database.Execute("""
            ALTER TABLE kintsugi.quarantine DROP relation_oid, DROP numbers, DROP horizon; DELETE FROM kintsugi.version WHERE version = 2;
            ALTER TABLE child DROP CONSTRAINT child_up; ALTER TABLE child RENAME a TO renamed;
            """, Token);

        Assert.Contains("no column a", await Undo(ward, database, found), StringComparison.Ordinal);
        await database.Execute("ALTER TABLE child RENAME renamed TO a", Token);
        Assert.Null(await Undo(ward, database, found));

        Assert.Equal("(7,77,\"seven a\",\"seven b\",12.50,)", await database.Scalar<string>("SELECT t::text FROM child t WHERE id = 7", Token));
    }

    private static async Task<string?> Undo(RowWard ward, TestDatabase database, HealingCase found)
    {
        try
        {
            await new Quarantine(ward.Factory, new OperatingRoom(ward.Factory, ward.Source.Server, TimeProvider.System), database.Name)
                .Restore("test", Quarantine.OfCase, Token, found.Id);
            return null;
        }
        catch (HealingException refused)
        {
            return refused.Message;
        }
    }
}
