using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

/// <summary>
/// What must not make an orphan: damaged indexes, other equalities, policies, transactions that are not over, writers.
/// </summary>
public sealed class ForeignKeyGroundTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static ForeignKeyCheck Check => new(ConsistencyRules.None);

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task A_parent_index_that_lost_entries_makes_no_orphans_where_the_server_itself_sees_them(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE parent (id int PRIMARY KEY, v text); INSERT INTO parent SELECT i, 'x' FROM generate_series(1, 2000) i;
            CREATE TABLE child (id int PRIMARY KEY, up int CONSTRAINT child_fk REFERENCES parent);
              INSERT INTO child SELECT i, i FROM generate_series(1, 2000) i;
            """, Stop);
        await database.Execute("UPDATE pg_index SET indisready = false WHERE indexrelid = 'parent_pkey'::regclass", Stop);
        await database.Execute("INSERT INTO parent VALUES (5001, 'not indexed')", Stop);
        await database.Execute("UPDATE pg_index SET indisready = true WHERE indexrelid = 'parent_pkey'::regclass", Stop);
        await database.Execute("SET session_replication_role = replica; INSERT INTO child VALUES (5001, 5001)", Stop);
        // The injury took: what a person would run, and what the server runs, both accuse a good row.
        Assert.Equal(
            1L, (await database.Query(
            "/* naive */ SELECT count(*) FROM child c WHERE NOT EXISTS (SELECT FROM parent p WHERE p.id = c.up) "
            + "AND set_config('enable_seqscan', 'off', false) IS NOT NULL AND c.id = 5001", Stop)).Count);
        await database.Execute("UPDATE pg_constraint SET convalidated = false WHERE conname = 'child_fk'", Stop);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => database.Execute(
            "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; ALTER TABLE child VALIDATE "
                + "CONSTRAINT child_fk", Stop));
        Assert.Equal("23503", refused.SqlState);

        Scrubbing.AssertSound(await Scrubbing.With(Check, database, Stop));

        await database.Execute("SET session_replication_role = replica; INSERT INTO child VALUES (6001, 6001)", Stop);
        Assert.Equal("""{"id" : 6001}""", Assert.Single((await Scrubbing.With(Check, database, Stop)).Findings).Key);
    }

    [Theory, MemberData(nameof(TestMajors.All), MemberType = typeof(TestMajors))]
    public async Task Parents_that_are_still_on_their_pages_are_told_of_until_vacuum_has_removed_them(int major)
    {
        await using var database = await servers.Database(major, Stop);
        // Without pageinspect: the pages are taken apart here.
        await database.Execute("""
            CREATE TABLE parent (v text, id int, c text, PRIMARY KEY (id));
              INSERT INTO parent SELECT 'x', i, 'y' FROM generate_series(1, 500) i;
            CREATE TABLE child (id int PRIMARY KEY, up int CONSTRAINT dead_fk REFERENCES parent);
              INSERT INTO child SELECT i, i FROM generate_series(1, 500) i;
            CREATE TABLE pair (a int, b text, PRIMARY KEY (a, b)); INSERT INTO pair VALUES (1, 'one'), (2, 'two');
            CREATE TABLE paired (id int PRIMARY KEY, a int, b text, CONSTRAINT pair_fk FOREIGN KEY (a, b) REFERENCES pair);
              INSERT INTO paired VALUES (1, 1, 'one'), (2, 2, 'two');
            """, Stop);
        await database.Execute(
            "SET session_replication_role = replica; DELETE FROM parent WHERE id = 77; DELETE FROM pair WHERE a = 2", Stop);

        var before = (await Scrubbing.With(Check, database, Stop)).Findings;
        await database.Execute("VACUUM parent", Stop);
        await database.Execute("VACUUM pair", Stop);
        var after = (await Scrubbing.With(Check, database, Stop)).Findings;

        Assert.Equal(["dead_fk", "pair_fk"], before.Select(f => f.Target.Rule).Order());
        // The one on a full page may be pruned by any scan; its index entry stays for vacuum to remove.
        Assert.All(before, f => Assert.Contains("sample rows", f.Facts[FactNames.ParentSuspect], StringComparison.Ordinal));
        Assert.Contains(
            "row versions", Assert.Single(before, f => f.Target.Rule == "pair_fk").Facts[FactNames.ParentSuspect],
            StringComparison.Ordinal);
        Assert.Equal(["dead_fk", "pair_fk"], after.Select(f => f.Target.Rule).Order());
        Assert.All(after, f => Assert.False(f.Facts.ContainsKey(FactNames.ParentSuspect), f.Hint));
        Assert.All(after, f => Assert.Equal("index and pages", f.Facts[FactNames.ParentProbe]));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Many_orphans_are_one_finding_with_their_number_and_a_hundred_keys(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute(
            "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, up int CONSTRAINT many_fk "
                + "REFERENCES parent); "
            + "SET session_replication_role = replica; INSERT INTO child SELECT i, i FROM generate_series(1, 25000) i", Stop);

        var finding = Assert.Single((await Scrubbing.With(Check, database, Stop)).Findings);

        Assert.Equal(25000, finding.Rows);
        Assert.Equal(100, finding.Samples.Distinct().Count());
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Keys_are_equal_when_their_own_operator_and_collation_say_so(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;
              CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            CREATE TABLE tag (t ext.citext PRIMARY KEY); INSERT INTO tag VALUES ('Drama');
              CREATE TABLE tagged (id int PRIMARY KEY, t ext.citext CONSTRAINT ci_fk REFERENCES tag);
            CREATE TABLE word (w text COLLATE nocase PRIMARY KEY); INSERT INTO word VALUES ('Ämt');
              CREATE TABLE said (id int PRIMARY KEY, w text COLLATE nocase CONSTRAINT nc_fk REFERENCES word);
            CREATE FUNCTION public.eq(ext.citext, ext.citext) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false';
            CREATE OPERATOR public.= (LEFTARG = ext.citext, RIGHTARG = ext.citext, FUNCTION = public.eq);
            """, Stop);
        await database.Execute(
            "INSERT INTO tagged VALUES (1, 'DRAMA'), (2, NULL); SET session_replication_role = replica; INSERT INTO said "
                + "VALUES (1, 'äMT')", Stop);
        Scrubbing.AssertSound(await Scrubbing.With(Check, database, Stop));

        await database.Execute(
            "SET session_replication_role = replica; INSERT INTO tagged VALUES (3, 'Drame'); INSERT INTO said VALUES (2, 'amt')",
            Stop);
        Assert.Equal(
            ["ci_fk 1", "nc_fk 1"],
            (await Scrubbing.With(Check, database, Stop)).Findings.Select(f => $"{f.Target.Rule} {f.Rows}").Order());
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Under_a_row_policy_nothing_is_said_rather_than_something_false(int major)
    {
        await using var database = await servers.Database(major, Stop);
        var role = $"policed_{database.Name}";
        await database.Execute($"""
            CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent SELECT generate_series(1, 9);
              CREATE TABLE child (id int PRIMARY KEY, up int CONSTRAINT rls_fk REFERENCES parent);
            INSERT INTO child SELECT i, i FROM generate_series(1, 9) i; ALTER TABLE parent ENABLE ROW LEVEL SECURITY;
              CREATE POLICY few ON parent USING (id < 3);
            CREATE ROLE {role} LOGIN; GRANT SELECT ON parent, child TO {role};
            """, Stop);

        var report = await Scrubbing.With(Check, database, role, Stop);

        Assert.Empty(report.Findings);
        Assert.Contains(
            "42501", Assert.IsType<Verdict.Unchecked>(report.Of("child", "rls_fk").Verdict).Reason, StringComparison.Ordinal);
        await database.Execute($"DROP OWNED BY {role}; DROP ROLE {role}", Stop);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Transactions_under_way_and_writers_are_never_accused(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute("""
            CREATE TABLE parent (id int PRIMARY KEY);
              CREATE TABLE child (id int PRIMARY KEY, up int CONSTRAINT live_fk REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
            INSERT INTO parent SELECT generate_series(1, 2000); INSERT INTO child SELECT i, i FROM generate_series(1, 2000) i;
            """, Stop);
        await using var open = await database.Cluster.Connect(database.Name, Stop);
        await new NpgsqlCommand("BEGIN; INSERT INTO child VALUES (100000, 100000)", open).ExecuteNonQueryAsync(Stop);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var writer = Write(database, enough.Token);

        for (var round = 0; round < 5; round++)
            Scrubbing.AssertSound(await Scrubbing.With(Check, database, Stop));

        await enough.CancelAsync();
        Assert.True(await writer > 0);
    }

    [Fact]
    public async Task A_period_must_be_covered_by_the_periods_of_its_parents_together()
    {
        Assert.SkipWhen(TestMajors.Newest < 18, "PERIOD keys came with 18");
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await database.Execute("""
            CREATE EXTENSION btree_gist; CREATE TABLE room (id int, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
            CREATE TABLE stay (id int PRIMARY KEY, room int, during daterange,
              CONSTRAINT stay_fk FOREIGN KEY (room, PERIOD during) REFERENCES room (id, PERIOD during));
            INSERT INTO room VALUES (1, '[2024-01-01,2024-02-01)'), (1, '[2024-02-01,2024-03-01)'), (2,
              '[2024-01-01,2025-01-01)');
            INSERT INTO stay VALUES (1, 1, '[2024-01-15,2024-02-15)'), (2, 2, '[2024-05-01,2024-06-01)'), (3, NULL,
              '[2030-01-01,2030-02-01)');
            """, Stop);
        Scrubbing.AssertSound(await Scrubbing.With(Check, database, Stop));

        await database.Execute(
            "SET session_replication_role = replica; INSERT INTO stay VALUES (4, 1, '[2024-02-15,2024-04-01)'), (5, 3, "
                + "'[2024-01-01,2024-01-02)')", Stop);
        Assert.Equal(2, Assert.Single((await Scrubbing.With(Check, database, Stop)).Findings).Rows);
    }

    private static async Task<int> Write(TestDatabase database, CancellationToken stop)
    {
        await using var connection = await database.Cluster.Connect(database.Name, CancellationToken.None);
        for (var i = 0; ; i++)
        {
            if (stop.IsCancellationRequested)
                return i;
            await new NpgsqlCommand($"""
                BEGIN; INSERT INTO child VALUES ({5000 + i}, {5000 + i}); INSERT INTO parent VALUES ({5000 + i}); COMMIT;
                BEGIN; DELETE FROM parent WHERE id = {1 + (i % 2000)}; DELETE FROM child WHERE up = {1 + (i % 2000)}; COMMIT;
                BEGIN; INSERT INTO parent VALUES ({1 + (i % 2000)});
                  UPDATE child SET up = {1 + (i % 2000)} WHERE id = {5000 + i}; COMMIT;
                """, connection).ExecuteNonQueryAsync(CancellationToken.None);
        }
    }
}
