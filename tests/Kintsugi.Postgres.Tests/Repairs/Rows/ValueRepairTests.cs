using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

public sealed class ValueRepairTests(Servers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Misrouted_rows_move_to_their_partition_and_are_found_there(int major)
    {
        await using var database = await servers.Database(major, Token);
        var before = await database.Fingerprint(Token);
        await Injury.Inflict(database.Cluster, database.Name, [new MisroutedRow()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "partition-bound");
        // A reference with ON DELETE CASCADE acts on a move before 15.
        if (major < 15)
            await database.Execute("ALTER TABLE watch_notes DROP CONSTRAINT watch_notes_watch_fkey", Token);

        var report = await ward.Heal(await ward.TheCase(Faults.RowMisrouted));

        ward.AssertHealed(report);
        Assert.Equal(2, report.RowsChanged);
        Assert.Equal(2L, await database.Scalar<long>("SELECT count(*) FROM ONLY watch_history_2025h2 WHERE id IN (9200001, 9200002)", Token));
        await database.Execute("DELETE FROM watch_history WHERE id IN (9200001, 9200002)", Token);
        Assert.Empty(before.CompareWith(await database.Fingerprint(Token)).Tables);
    }

    [Fact]
    public async Task A_move_that_would_fire_a_cascade_is_refused_before_15()
    {
        Assert.SkipUnless(TestMajors.Oldest < 15, "no major older than 15 in this run");
        await using var database = await servers.Database(TestMajors.Oldest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new MisroutedRow()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "partition-bound");

        var report = await ward.Heal(await ward.TheCase(Faults.RowMisrouted));

        Assert.Contains("watch_notes_watch_fkey", Assert.IsType<Outcome.Escalated>(report.Outcome).Reason);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_sequence_is_set_behind_the_last_used_value_and_never_back(int major)
    {
        await using var database = await servers.Database(major, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new SequenceBehind()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "sequence");

        var report = await ward.Heal(await ward.TheCase(Faults.SequenceBehind), RowWard.Permissive with { Allow = Grade.Lossless });

        ward.AssertHealed(report);
        Assert.True(await database.Scalar<bool>("SELECT nextval('users_id_seq') = (SELECT max(id) + 1 FROM users)", Token));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_stale_column_is_computed_anew_when_most_rows_disagree_and_never_when_few_do(int major)
    {
        await using var database = await servers.Database(major, Token);
        await database.Execute("""
            CREATE FUNCTION tax(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
            CREATE TABLE bills (id integer PRIMARY KEY, net integer, gross integer GENERATED ALWAYS AS (public.tax(net)) STORED);
            INSERT INTO bills SELECT n, n FROM generate_series(1, 9) n;
            CREATE OR REPLACE FUNCTION tax(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 3'
            """, Token);
        // Nothing elsewhere tells of net: which side is right cannot be known.
        await database.Execute("""
            CREATE TABLE notes (id integer PRIMARY KEY, net integer, gross integer GENERATED ALWAYS AS (net * 2) STORED);
            INSERT INTO notes SELECT n, n FROM generate_series(1, 9) n;
            UPDATE pg_attribute SET attgenerated = '' WHERE attrelid = 'notes'::regclass AND attname = 'gross';
            UPDATE notes SET gross = 5 WHERE id = 4;
            UPDATE pg_attribute SET attgenerated = 's' WHERE attrelid = 'notes'::regclass AND attname = 'gross'
            """, Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "generated");
        var cases = await ward.Cases();

        var mass = await ward.Heal(cases.Single(c => c.Target.Relation == "bills"));
        var isolated = await ward.Heal(cases.Single(c => c.Target.Relation == "notes"));

        ward.AssertHealed(mass);
        Assert.Equal(9L, await database.Scalar<long>("SELECT count(*) FROM bills WHERE gross = net * 3", Token));
        var reason = Assert.IsType<Outcome.Escalated>(isolated.Outcome).Reason;
        Assert.True(reason.Contains("so net may be what is damaged", StringComparison.Ordinal), reason);
        Assert.Contains("expected", reason);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_few_stale_values_are_computed_anew_where_other_stored_things_prove_the_base_column(int major)
    {
        await using var database = await servers.Database(major, Token);
        var before = await database.Fingerprint(Token);
        await Injury.Inflict(database.Cluster, database.Name, [new GeneratedStale()], Token);
        Assert.Equal(3, Assert.Single(before.CompareWith(await database.Fingerprint(Token)).Tables).Changed.Count);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "generated");
        var accused = await ward.TheCase(Faults.GeneratedStale);

        var waiting = Assert.IsType<Outcome.Waiting>((await ward.Heal(accused)).Outcome);

        Assert.Contains("movies_search_key_idx", waiting.Reason, StringComparison.Ordinal);
        Assert.Contains("speak for title as it is", waiting.Reason, StringComparison.Ordinal);
        await ward.Ledger.Append(new Fact(accused.Id, accused.Target.Server, Facts.Approved, "approved", Facts.Data(("plan", waiting.Plan.Hash)), TimeProvider.System.GetUtcNow()), Token);
        ward.AssertHealed(await ward.Heal(accused));
        Assert.True(before.CompareWith(await database.Fingerprint(Token)).IsEmpty);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Bad_bytes_become_the_replacement_character_and_are_kept(int major)
    {
        await using var database = await servers.Database(major, Token);
        await database.Execute("""
            CREATE TABLE "we;ird" (id integer PRIMARY KEY, "bo""dy" text, other text);
            INSERT INTO "we;ird" VALUES (1, 'sound é', 'a'), (2, 'x', 'b'), (3, 'y', 'c');
            -- The bytes taken as text without a look at them: both are varlena.
            CREATE FUNCTION raw_text(bytea) RETURNS text LANGUAGE internal STRICT IMMUTABLE AS 'byteasend'
            """, Token);
        var taken = await database.Scalar<long>("""
            WITH broken AS (UPDATE "we;ird" SET "bo""dy" = raw_text('\x61ff62c328e9'::bytea) WHERE id = 2 RETURNING 1) SELECT count(*) FROM broken
            """, Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "text-encoding");

        var report = await ward.Heal(await ward.TheCase(Faults.TextInvalid));

        Assert.Equal(1, taken);
        ward.AssertHealed(report);
        Assert.Equal("a\uFFFDb\uFFFD(\uFFFD", await database.Scalar<string>("SELECT \"bo\"\"dy\" FROM \"we;ird\" WHERE id = 2", Token));
        Assert.Equal("61ff62c328e9", await database.Scalar<string>("SELECT encode(raw[2], 'hex') FROM kintsugi.quarantine", Token));
        Assert.Equal("sound é", await database.Scalar<string>("SELECT \"bo\"\"dy\" FROM \"we;ird\" WHERE id = 1", Token));
    }

    [Fact]
    public async Task Two_columns_of_one_row_with_invalid_bytes_are_two_cases_and_both_are_mended()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("""
            CREATE TABLE notes (id integer PRIMARY KEY, title text, body varchar(20)); INSERT INTO notes VALUES (1, 'x', 'y'), (2, 'x', 'y');
            CREATE FUNCTION raw_text(bytea) RETURNS text LANGUAGE internal STRICT IMMUTABLE AS 'byteasend';
            UPDATE notes SET title = raw_text('\x61ff'::bytea), body = raw_text('\xfe62'::bytea) WHERE id = 2
            """, Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "text-encoding");

        var found = await ward.Cases();
        foreach (var healing in found)
            ward.AssertHealed(await ward.Heal(healing));

        Assert.Equal(["body", "title"], found.Select(healing => healing.Findings.Single().Target.Column).Order());
        Assert.Equal("a\uFFFD \uFFFDb", await database.Scalar<string>("SELECT title || ' ' || body FROM notes WHERE id = 2", Token));
        Assert.Equal("x y", await database.Scalar<string>("SELECT title || ' ' || body FROM notes WHERE id = 1", Token));
        Assert.Empty(await ward.Cases());
    }

    [Fact]
    public async Task Documents_that_break_their_schema_are_nulled_and_flagged_and_nothing_else_is_touched()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("""
            ALTER TABLE movies ADD COLUMN needs_review boolean NOT NULL DEFAULT false;
            UPDATE movies SET details = '{"budget": "none"}' WHERE id IN (5, 6)
            """, Token);
        var injured = await database.Fingerprint(Token);
        await using var ward = await RowWard.Open(database, new ConsistencyRules
        {
            Json = [new JsonRule("details", new ObjectName("public", "movies"), "details",
                """{"type": "object", "properties": {"budget": {"type": "integer"}}}""", true, new RowRepair.Nullify(), null)],
        }, "json-schema");

        var report = await ward.Heal(await ward.TheCase(Faults.JsonInvalid));

        ward.AssertHealed(report);
        var changed = Assert.Single(injured.CompareWith(await database.Fingerprint(Token)).Tables);
        Assert.Equal(2, changed.Changed.Count);
        Assert.Equal(2L, await database.Scalar<long>("SELECT count(*) FROM movies WHERE details IS NULL AND needs_review AND id IN (5, 6)", Token));
    }

    [Fact]
    public async Task Without_the_owners_choice_values_are_only_told()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new CheckViolated()], Token);
        var injured = await database.Fingerprint(Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "check-constraint");

        var report = await ward.Heal(await ward.TheCase(Faults.CheckViolated));

        var reason = Assert.IsType<Outcome.Escalated>(report.Outcome).Reason;
        Assert.Contains("consistency: { constraints: [ { constraint: 'public.users.users_email_check', repair: ANSWER } ] }", reason, StringComparison.Ordinal);
        Assert.Contains("quarantine (the whole row", reason, StringComparison.Ordinal);
        Assert.Empty(injured.CompareWith(await database.Fingerprint(Token)).Tables);
    }

    public static TheoryData<string, string, int> Answers()
    {
        var data = new TheoryData<string, string, int>();
        foreach (var major in new[] { TestMajors.Newest, TestMajors.Oldest }.Distinct())
            foreach (var (injury, constraint) in new[] { ("check-violated", "users.users_email_check"), ("null-in-not-null", "audit_log.actor"), ("orphan-self-reference", "movies.movies_sequel_of_fkey") })
                data.Add(injury, constraint, major);
        return data;
    }

    [Theory, MemberData(nameof(Answers))]
    public async Task The_answer_that_an_escalation_names_heals_and_is_undone_by_the_old_rows(string injury, string constraint, int major)
    {
        await using var database = await servers.Database(major, Token);
        await Injury.Inflict(database.Cluster, database.Name, [Injuries.Named(injury)], Token);
        var injured = await database.Fingerprint(Token);
        var (table, name) = (constraint.Split('.')[0], constraint.Split('.')[1]);
        string[] checks = ["check-constraint", "foreign-key"];
        await using (var unasked = await RowWard.Open(database, ConsistencyRules.None, checks))
        {
            var told = await unasked.Propose(await unasked.TheCase(Injuries.Named(injury).Fault));
            var words = told.Plan is { } plan ? string.Join(' ', plan.Warnings) : told.WhyNot;
            Assert.Contains($"constraint: 'public.{constraint}', repair: ", words, StringComparison.Ordinal);
        }
        foreach (var answer in new RowRepair[] { new RowRepair.Delete(), injury == "orphan-self-reference" ? new RowRepair.SetNull() : new RowRepair.SetExpression("'x@' || id") })
        {
            await using var ward = await RowWard.Open(database, new ConsistencyRules { Constraints = [new ConstraintChoice(new ObjectName("public", table), name, answer)] }, checks);

            var report = await ward.Heal(await ward.TheCase(Injuries.Named(injury).Fault));

            if (answer is RowRepair.Delete)
            {
                // Of a foreign key it is lossy, of a value it is no answer: nothing is done unasked either way.
                Assert.False(report.Outcome is Outcome.Healed, report.Outcome.Word);
                Assert.Empty(injured.CompareWith(await database.Fingerprint(Token)).Tables);
                continue;
            }
            ward.AssertHealed(report);
            Assert.Empty(await ward.Cases());
            // The application's own trigger writes to its log.
            var changed = Assert.Single(injured.CompareWith(await database.Fingerprint(Token)).Tables, difference => difference.Changed.Count + difference.Lost.Count > 0);
            Assert.Equal(report.RowsChanged, changed.Changed.Count);
            Assert.Empty(changed.Lost);
        }
    }

    [Fact]
    public async Task Rows_that_break_a_check_or_the_owners_query_go_to_quarantine_by_the_owners_choice()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("INSERT INTO genres VALUES (90, 'bad'), (91, 'bad too')", Token);
        await using var ward = await RowWard.Open(database, new ConsistencyRules
        {
            Sql = [new SqlRule("few_genres", new ObjectName("public", "genres"), "select id from public.genres where id >= 90", Severity.Warning,
                new RowRepair.Quarantine())],
        }, "rule");

        var report = await ward.Heal(await ward.TheCase(Faults.RuleViolated), RowWard.Permissive with { Allow = Grade.Lossless });

        ward.AssertHealed(report);
        Assert.Equal(2, report.RowsQuarantined);
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM genres WHERE id >= 90", Token));
    }

    [Fact]
    public async Task A_constraint_is_put_in_force_only_when_approved_and_clean()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await database.Execute("ALTER TABLE movie_genres DISABLE TRIGGER ALL", Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "enforcement");
        var found = (await ward.Cases()).Single(c => c.Target.Rule == "movie_genres_movie_id_fkey");

        var first = await ward.Heal(found);
        await ward.Ledger.Append(new Fact(found.Id, "", Facts.Approved, "", Facts.Data(("plan", first.Plan!.Hash)), TimeProvider.System.GetUtcNow()), Token);
        var second = await ward.Heal(found);

        Assert.Contains("never", Assert.IsType<Outcome.Escalated>(first.Outcome).Reason);
        ward.AssertHealed(second);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.Execute("INSERT INTO movie_genres VALUES (8000001, 1, 1)", Token));
    }
}
