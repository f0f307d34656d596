using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Postgres.Tests.Healing.Conflicts;

/// <summary>
/// Between the look that accuses and the batch that removes, a parent comes, an orphan is written anew, the index that may acquit breaks: no child of a
/// parent that is there leaves its table.
/// </summary>
public sealed class LatecomerTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-late-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Large enough that a plan that is free reads one parent by the index.</summary>
    private const string Prepare = """
        CREATE TABLE parents (id integer PRIMARY KEY, body text);
        INSERT INTO parents SELECT g, md5(g::text) FROM generate_series(1, 20000) g;
        CREATE TABLE children (id integer PRIMARY KEY, parent integer CONSTRAINT children_parent REFERENCES parents, body text) WITH (autovacuum_enabled = off);
        INSERT INTO children SELECT g, g, md5(g::text) FROM generate_series(1, 20000) g;
        SET session_replication_role = replica;
        INSERT INTO children SELECT g, g, 'orphan' FROM generate_series(50001, 50005) g;
        RESET session_replication_role;
        ANALYZE parents, children
        """;

    private const string Orphans = "SELECT count(*) FROM children c WHERE NOT EXISTS (SELECT FROM parents p WHERE p.id = c.parent)";

    public void Dispose() => Directory.Delete(state, recursive: true);

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task The_child_of_a_parent_that_comes_after_the_plan_stays(int major)
    {
        await using var database = await Injured(major);

        var report = await Heal(database, Facts.Planned, "INSERT INTO parents VALUES (50002, 'late')");

        Assert.Equal(4, report.RowsQuarantined);
        await AssertLeft(database, [50002]);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Where_the_index_of_the_parents_breaks_meanwhile_nothing_leaves(int major)
    {
        await using var database = await Injured(major);

        // A file of zeros takes the place of the index: no buffer knows it, and whoever reads it is told that it is corrupted.
        var report = await Run(database, Facts.Planned, """
            DO $$ BEGIN EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('head -c 8192000 /dev/zero > base/%s/987654',
                (SELECT oid FROM pg_database WHERE datname = current_database()))); END $$;
            UPDATE pg_class SET relfilenode = 987654 WHERE oid = 'parents_pkey'::regclass
            """);

        var broken = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.Scalar<long>(
            "SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT count(*) FROM parents WHERE id = 1", Token));
        Assert.Equal("XX002", broken.SqlState);
        Assert.Contains("parents_pkey", Assert.IsType<Outcome.Escalated>(report.Outcome).Reason, StringComparison.Ordinal);
        Assert.Equal(20_005L, await database.Scalar<long>("SELECT count(*) FROM children", Token));
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Token));
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Orphans_that_are_written_anew_after_they_were_seen_are_found_where_they_lie_now(int major)
    {
        await using var database = await Injured(major);

        var report = await Heal(database, Facts.Found, "UPDATE children SET body = 'moved' WHERE id > 50000");

        Assert.Equal(5, report.RowsQuarantined);
        Assert.Equal(5L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine WHERE display ->> 'body' = 'moved'", Token));
        await AssertLeft(database, []);
    }

    [Fact]
    public async Task The_whole_table_is_read_to_accuse_and_to_acquit_and_not_in_between()
    {
        await using var database = await Injured(TestMajors.Newest);
        const string scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'children'";
        var before = await database.Scalar<long>(scans, Token);

        var report = await Heal(database, Facts.Ended, "SELECT 1");

        Assert.Equal(5, report.RowsQuarantined);
        // What a session has read is counted when it is gone.
        while (await database.Scalar<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'kintsugi' AND datname = current_database())", Token))
            await Task.Delay(TimeSpan.FromMilliseconds(20), Token);
        // One look before, one to acquit, and one more of the round in which nothing is left.
        Assert.Equal(3, await database.Scalar<long>(scans, Token) - before);
        await AssertLeft(database, []);
    }

    private async Task<TestDatabase> Injured(int major)
    {
        var database = await servers.Database(major, Token);
        await database.Execute(Prepare, Token);
        Assert.Equal(5L, await database.Scalar<long>(Orphans, Token));
        return database;
    }

    private async Task<CaseReport> Heal(TestDatabase database, string moment, string change)
    {
        var report = await Run(database, moment, change);
        Assert.True(report.Outcome is Outcome.Healed, $"{report.Outcome.Word}: {report.Outcome.Why}");
        return report;
    }

    private async Task<CaseReport> Run(TestDatabase database, string moment, string change)
    {
        StateDirectory.Open(state);
        var changed = false;
        var reports = await new Treatment(database.ConnectionString, database.Cluster.DataDirectory, state)
        {
            Checks = ["foreign-key"],
            Includes = relation => relation.TableName == "children",
            Policy = new Policy { Consent = true, Allow = Grade.Reversible },
            After = async (fact, _) =>
            {
                if (changed || fact.Kind != moment)
                    return;
                changed = true;
                await database.Execute(change, Token);
            },
        }.Run(Token);
        Assert.True(changed, $"no fact was {moment}");
        return Assert.Single(reports);
    }

    /// <summary>Every sound child, those whose parents came, and no other; what left is in quarantine.</summary>
    private static async Task AssertLeft(TestDatabase database, int[] saved)
    {
        Assert.Equal(0L, await database.Scalar<long>(Orphans, Token));
        Assert.Equal(20_000L, await database.Scalar<long>("SELECT count(*) FROM children WHERE id <= 20000 AND body = md5(id::text)", Token));
        Assert.Equal(saved, (await database.Query("SELECT id FROM children WHERE id > 50000 ORDER BY 1", Token)).Select(row => (int)row[0]!));
        Assert.Equal(5L - saved.Length, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine WHERE kind = 'removed'", Token));
    }
}
