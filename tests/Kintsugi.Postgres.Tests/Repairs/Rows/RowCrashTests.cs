using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Tests.Repairs.Rows;

/// <summary>A row repair that is killed anywhere ends healed at the next run, with each row in exactly one place.</summary>
public sealed class RowCrashTests(Servers servers)
{
    /// <summary>Kills the backend that runs it, as an administrator or a crash would.</summary>
    private const string Killer = """
        CREATE FUNCTION public.kill_me() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()); PERFORM pg_catalog.pg_sleep(0); RETURN coalesce(OLD, NEW); END $$;
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<int, string> Deaths
    {
        get
        {
            var deaths = new TheoryData<int, string>();
            foreach (var major in TestMajors.Ends)
                foreach (var death in new[]
                {
                    "CREATE TRIGGER die BEFORE INSERT ON kintsugi.quarantine FOR EACH ROW EXECUTE FUNCTION public.kill_me()",
                    "CREATE TRIGGER die BEFORE DELETE ON public.movie_genres FOR EACH ROW EXECUTE FUNCTION public.kill_me()",
                    "CREATE TRIGGER die AFTER DELETE ON public.movie_genres FOR EACH STATEMENT EXECUTE FUNCTION public.kill_me()",
                    "CREATE TRIGGER die BEFORE INSERT ON kintsugi.audit_log FOR EACH ROW EXECUTE FUNCTION public.kill_me()",
                    "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON kintsugi.audit_log DEFERRABLE INITIALLY DEFERRED "
                        + "FOR EACH ROW EXECUTE FUNCTION public.kill_me()",
                })
                    deaths.Add(major.Data, death);
            return deaths;
        }
    }

    [Theory, MemberData(nameof(Deaths))]
    public async Task A_backend_killed_in_the_middle_leaves_nothing_done(int major, string death)
    {
        await using var database = await servers.Database(major, Token);
        var sound = await database.Fingerprint(Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        var injured = await database.Fingerprint(Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        await using (var session = await ward.Factory.OpenWrite(database.Name, Token))
            await PatientSchema.Ensure(session, Token);
        await database.Execute($"{Killer}; {death}", Token);
        var found = await ward.TheCase(Faults.RowOrphaned);

        var killed = await ward.Heal(found, RowWard.Permissive with { MaxAttempts = 1 });
        var after = await database.Fingerprint(Token);
        var kept = await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Token);
        await database.Execute("DROP FUNCTION public.kill_me() CASCADE", Token);
        var next = await ward.Heal(found);

        Assert.IsNotType<Outcome.Healed>(killed.Outcome);
        Assert.Contains(ward.Ledger.Facts, fact => fact.Kind == Facts.Failed);
        Assert.Empty(injured.CompareWith(after).Tables);
        Assert.Equal(0, kept);
        ward.AssertHealed(next);
        Assert.Empty(sound.CompareWith(await database.Fingerprint(Token)).Tables);
        Assert.Equal(3L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Token));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task A_healer_killed_after_COMMIT_is_told_by_the_audit_log_that_the_batch_is_done(int major)
    {
        await using var database = await servers.Database(major, Token);
        var sound = await database.Fingerprint(Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var found = await ward.TheCase(Faults.RowOrphaned);

        await Assert.ThrowsAsync<KilledException>(() => ward.Heal(found, room: real => new DyingRoom(real)));
        await ward.Heal(found);

        var cleaned = Assert.Single(ward.Ledger.Facts, fact => fact.Kind == Facts.Cleaned);
        Assert.Contains("had been committed", cleaned.Summary);
        Assert.Empty(sound.CompareWith(await database.Fingerprint(Token)).Tables);
        Assert.Equal(3L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Token));
    }

    [Fact]
    public async Task A_row_that_was_changed_since_the_plan_is_left_alone_and_told()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var plan = (await ward.Propose(await ward.TheCase(Faults.RowOrphaned))).Plan!;
        await database.Execute("UPDATE movie_genres SET movie_id = 1, genre_id = 24 WHERE movie_id = 8000002", Token);
        await using var operation = await new OperatingRoom(ward.Factory, ward.Source.Server, TimeProvider.System).Enter(database.Name, Token);
        var step = Assert.Single(plan.Steps);

        var result = await operation.Run(plan, step, await operation.Remember(step, Token), Token);

        Assert.Equal(2, result.RowsQuarantined);
        Assert.Contains("1 row was changed", result.Note);
        Assert.Equal(1L, await database.Scalar<long>("SELECT count(*) FROM movie_genres WHERE movie_id = 1 AND genre_id = 24", Token));
    }

    [Fact]
    public async Task A_child_that_came_to_an_orphan_since_the_plan_is_not_carried_off_by_a_cascade()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanTwoLevels()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var plan = (await ward.Propose(await ward.TheCase(Faults.RowOrphaned))).Plan!;
        await database.Execute("INSERT INTO episodes (series_id, season, episode, title) VALUES (8000005, 1, 9, 'Late')", Token);
        await using var operation = await new OperatingRoom(ward.Factory, ward.Source.Server, TimeProvider.System).Enter(database.Name, Token);
        var step = Assert.Single(plan.Steps);

        var result = await operation.Run(plan, step, await operation.Remember(step, Token), Token);

        Assert.Equal(0, result.RowsQuarantined);
        Assert.Equal(4L, await database.Scalar<long>("SELECT count(*) FROM episodes WHERE series_id = 8000005", Token));
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Token));
    }

    [Fact]
    public async Task Of_two_healers_at_once_one_waits_and_no_row_is_taken_twice()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        var sound = await database.Fingerprint(Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        await using var one = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        await using var other = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var found = await one.TheCase(Faults.RowOrphaned);

        var reports = await Task.WhenAll(one.Heal(found), other.Heal(found));

        Assert.Contains(reports, report => report.Outcome is Outcome.Healed);
        Assert.All(reports, report => Assert.False(report.Outcome is Outcome.Escalated, report.Outcome.Why));
        Assert.Equal(3L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Token));
        Assert.Empty(sound.CompareWith(await database.Fingerprint(Token)).Tables);
    }

    [Fact]
    public async Task A_trigger_that_keeps_a_row_rolls_the_whole_batch_back()
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        var injured = await database.Fingerprint(Token);
        await database.Execute("""
            CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN OLD.movie_id = 8000002 THEN NULL ELSE OLD END; END $$;
            CREATE TRIGGER keep BEFORE DELETE ON movie_genres FOR EACH ROW EXECUTE FUNCTION keep()
            """, Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        var found = await ward.TheCase(Faults.RowOrphaned);
        var plan = (await ward.Propose(found)).Plan!;

        var report = await ward.Heal(found);

        Assert.Contains(plan.Warnings, warning => warning.Contains("trigger keep", StringComparison.Ordinal));
        Assert.Contains("2 of 3 rows", Assert.IsType<Outcome.Escalated>(report.Outcome).Reason);
        Assert.Empty(injured.CompareWith(await database.Fingerprint(Token)).Tables);
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Token));
    }

    [Theory]
    [InlineData("BEFORE DELETE ON movie_genres", 2, "23P01")]
    [InlineData("BEFORE INSERT ON kintsugi.quarantine", 2, "23P01")]
    [InlineData("AFTER DELETE ON movie_genres", 2, "40P01")]
    public async Task A_row_that_is_refused_does_not_keep_the_others_of_its_batch(string when, int taken, string state)
    {
        await using var database = await servers.Database(TestMajors.Newest, Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        await using var ward = await RowWard.Open(database, ConsistencyRules.None, "foreign-key");
        await using (var session = await ward.Factory.OpenWrite(database.Name, Token))
            await PatientSchema.Ensure(session, Token);
        await database.Execute($"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF to_jsonb(coalesce(NEW, OLD))::text LIKE '%8000002%' THEN RAISE EXCEPTION 'not this one' USING ERRCODE = '{state}'; END IF;
              RETURN coalesce(NEW, OLD); END $$;
            CREATE TRIGGER refuse {when} FOR EACH ROW EXECUTE FUNCTION refuse()
            """, Token);
        var found = await ward.TheCase(Faults.RowOrphaned);

        var report = await ward.Heal(found);

        Assert.Contains("not this one", report.Outcome.Why);
        // What is wrong with the server, or with another session, is no row's fault: then nothing is done.
        var expected = state == "40P01" ? 0 : taken;
        Assert.Equal(expected, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Token));
        Assert.Equal(3L - expected, await database.Scalar<long>("SELECT count(*) FROM movie_genres WHERE movie_id >= 8000000", Token));
        Assert.Equal(expected > 0 ? 1L : 0L, await database.Scalar<long>(
            "SELECT count(*) FROM kintsugi.audit_log WHERE message LIKE '%1 row was left%not this one%'", Token));
    }

    private sealed class KilledException : Exception;

    /// <summary>Dies when a step is done and before that is written down.</summary>
    private sealed class DyingRoom(IOperatingRoom real) : IOperatingRoom
    {
        public async ValueTask<IOperation> Enter(string database, CancellationToken cancellationToken) =>
            new Dying(await real.Enter(database, cancellationToken));

        private sealed class Dying(IOperation real) : IOperation
        {
            public ValueTask<string?> Preflight(Plan plan, CancellationToken cancellationToken) => real.Preflight(plan, cancellationToken);

            public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, CancellationToken cancellationToken) =>
                real.Remember(step, cancellationToken);

            public async ValueTask<StepResult> Run(
                Plan plan, Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
            {
                await real.Run(plan, step, remembered, cancellationToken);
                throw new KilledException();
            }

            public ValueTask<string?> CleanUp(Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken) =>
                real.CleanUp(step, remembered, cancellationToken);

            public ValueTask DisposeAsync() => real.DisposeAsync();
        }
    }
}
