using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>deploy/sql: what each script gives role kintsugi is enough for its mode, and no more than that.</summary>
public sealed class LeastPrivilegeTests(Servers servers)
{
    /// <summary>The tables of an application belong to a role of its own.</summary>
    private const string Owned = """
        CREATE ROLE "app's owner";
        DO $$ DECLARE relation regclass; BEGIN
          FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm') LOOP
            EXECUTE format('ALTER TABLE %s OWNER TO "app''s owner"', relation);
          END LOOP;
        END $$
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Watching_proves_every_row_and_index_changes_nothing_and_names_the_grant_for_the_rest(int major)
    {
        using var room = new Shelf();
        await using var database = await servers.Cluster(major, Token);
        await Run(database, "watch.sql");
        await Run(database, "watch.sql");

        // On the server's own machine, where the files can be read, nothing is missing.
        var watched = await (Kintsugi(database, room.Path) with { DataDirectory = database.Cluster.DataDirectory }).Look(Token);
        Assert.Empty(Damage(watched));
        MustLackOnly(watched, "connect as one", "BYPASSRLS");
        string[] sound = ["pages", "btree", "index-state", "foreign-key", "enforcement", "uniqueness", "wraparound"];
        Assert.All(sound, check => Assert.Contains(watched.Examinations, e => e.Check == check && e.Verdict is Verdict.Sound));

        // From afar what stands on pages is not proven, and what would prove it is said.
        var afar = await Kintsugi(database, room.Path).Look(Token);
        Assert.Empty(Damage(afar));
        MustLackOnly(afar, "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file", "as a superuser", "BYPASSRLS", "on the server's own machine");
        foreach (var harm in new[] { "DELETE FROM movies", "CREATE SCHEMA mine", "REINDEX TABLE movies", "SELECT pg_read_file('PG_VERSION')" })
            Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => Say(database, harm))).SqlState);

        await Run(database, "read-files.sql");
        var read = await Kintsugi(database, room.Path).Look(Token);
        Assert.Empty(Damage(read));
        MustLackOnly(read, "as a superuser", "connect as one", "BYPASSRLS", "run on the server's own machine");
        Assert.Contains(read.Examinations, e => e.Check == "pages" && e.Verdict is Verdict.Sound);
    }

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Repairing_rows_heals_orphans_and_indexes_with_the_owners_rights_and_no_more(int major)
    {
        using var room = new Shelf();
        await using var database = await servers.Cluster(major, Token);
        await database.Execute(Owned, Token);
        var before = await database.Fingerprint(Token);
        await Injury.Inflict(database.Cluster, database.Name, [new OrphanSingle()], Token);
        await Injury.Inflict(database.Cluster, database.Name, [new BTreeEntryMissing()], Token);
        await Run(database, "watch.sql");
        await Run(database, "read-files.sql");
        var treatment = Kintsugi(database, room.Path) with { Policy = new Policy { Consent = true, Allow = Grade.Reversible } };

        var refused = await treatment.Run(Token);
        Assert.NotEmpty(refused);
        Assert.All(refused, report => Assert.IsNotType<Outcome.Healed>(report.Outcome));
        await Run(database, "repair-rows.sql");
        await Run(database, "repair-rows.sql");
        var healed = await (Kintsugi(database, Path.Combine(room.Path, "later")) with { Policy = treatment.Policy }).Run(Token);

        Assert.All(healed, report => Assert.True(report.Outcome is Outcome.Healed, $"{report.Case.Cause}: {report.Outcome.Word} {report.Outcome.Why}"));
        Assert.Equal([Faults.IndexCorrupt, Faults.RowOrphaned], healed.Select(report => report.Case.Fault).OrderBy(fault => fault.Layer));
        Assert.Empty(before.CompareWith(await database.Fingerprint(Token)).Tables);
        Assert.Equal(3L, await database.Scalar<long>("SELECT count(*) FROM kintsugi.quarantine", Token));
        Assert.True(await database.Scalar<bool>("SELECT NOT rolsuper AND NOT rolbypassrls AND NOT rolcreaterole FROM pg_roles WHERE rolname = 'kintsugi'", Token));
        await database.Execute("CREATE TABLE others (id integer)", Token);
        Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => Say(database, "INSERT INTO others VALUES (1)"))).SqlState);

        await Run(database, "repair-physically.sql");
        var all = await treatment.Look(Token);
        Assert.Empty(Damage(all));
        MustLackOnly(all, "run on the server's own machine");
    }

    /// <summary>The servers of tests run with settings that are told as advice.</summary>
    private static IEnumerable<string> Damage(ScrubReport report) => report.Findings.Where(f => !f.Fault.Advice).Select(f => $"{f.Fault.Id} {f.Target.Name}: {f.Evidence}");

    /// <summary>What was not examined says the way out in one of these words; each of them is needed.</summary>
    private static void MustLackOnly(ScrubReport report, params string[] ways)
    {
        var told = report.Examinations.Where(e => e.Verdict is Verdict.Unchecked).Select(e => $"{e.Check} {e.Target.Name}: {e.Verdict.Why}").ToList();
        Assert.Equal([], told.Where(line => !ways.Any(way => line.Contains(way, StringComparison.Ordinal))));
        Assert.All(ways, way => Assert.Contains(told, line => line.Contains(way, StringComparison.Ordinal)));
    }

    /// <summary>As role kintsugi, from a machine that has none of the server's files.</summary>
    private static Treatment Kintsugi(TestDatabase database, string state)
    {
        StateDirectory.Open(state);
        return new Treatment(As(database), "/nowhere", state) { Checks = [.. PostgresRegistry.Create().Checks.Select(check => check.Id)] };
    }

    private static string As(TestDatabase database) =>
        new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = "kintsugi", Pooling = false }.ConnectionString;

    private static async Task Say(TestDatabase database, string sql)
    {
        await using var connection = new NpgsqlConnection(As(database));
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }

    private static async Task Run(TestDatabase database, string script) =>
        await database.Execute(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "sql", script), Token), Token);

    private sealed class Shelf : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("kintsugi-rights-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
