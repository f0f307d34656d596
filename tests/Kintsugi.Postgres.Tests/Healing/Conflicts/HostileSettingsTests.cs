using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Healing.Conflicts;

/// <summary>
/// What an owner sets for a role or a database, or a role loses in the middle, is made for applications: a repair neither fails by it half way nor means
/// something else.
/// </summary>
public sealed class HostileSettingsTests(Servers servers) : IDisposable
{
    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-settings-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    private static bool All { get; } = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1";

    private static readonly string[] Settings =
    [
        "statement_timeout = '1s'", "lock_timeout = '50ms'", "idle_in_transaction_session_timeout = '1s'", "default_transaction_read_only = on",
        "default_transaction_isolation = 'serializable'", "default_transaction_deferrable = on", "synchronous_commit = off", "search_path = nowhere",
        "\"DateStyle\" = 'SQL, DMY'", "\"IntervalStyle\" = 'iso_8601'", "bytea_output = escape", "extra_float_digits = -15", "xmloption = document",
        "standard_conforming_strings = off", "quote_all_identifiers = on", "\"TimeZone\" = 'Pacific/Auckland'", "transform_null_equals = on", "array_nulls = off",
        "enable_seqscan = off", "session_replication_role = replica", "constraint_exclusion = on", "client_min_messages = debug1",
    ];

    /// <summary>A statement may take longer than a role's time, and the session that holds the locks is idle meanwhile.</summary>
    private static string[] Limits(int major) =>
        [.. Settings, .. major >= 14 ? (string[])["idle_session_timeout = '1s'"] : [], .. major >= 17 ? (string[])["transaction_timeout = '1s'"] : []];

    public static TheoryData<string, int> Matrix()
    {
        var data = new TheoryData<string, int>();
        foreach (var name in (string[])["rebuild-index", "visibility-map", "catalog-edit", "set-sequence", "recreate-rows", "quarantine-orphans", "resolve-conflicts", "refresh-version"])
            foreach (var row in TestMajors.Wide.Where(row => All || (row.Data == TestMajors.Newest && name is "rebuild-index" or "quarantine-orphans")))
                data.Add(name, row.Data);
        return data;
    }

    [Theory, MemberData(nameof(Matrix))]
    public async Task Settings_of_the_role_in_the_database_do_not_reach_a_repair(string name, int major)
    {
        await using var database = await servers.Database(major, Token);
        var mechanism = Mechanism.Named(name);
        var role = $"healer_{database.Name}";
        await database.Execute(mechanism.Prepare, Token);
        var healthy = await database.Fingerprint(Token);
        foreach (var statement in mechanism.Injure.Split(";;"))
            await database.Execute(statement, Token);
        Assert.True(await database.Scalar<bool>(mechanism.Took, Token));
        await database.Execute($"CREATE ROLE {role} SUPERUSER LOGIN", Token);
        try
        {
            foreach (var setting in Limits(major))
                await database.Execute($"ALTER ROLE {role} IN DATABASE {database.Name} SET {setting}; ALTER ROLE {role} SET {setting}", Token);
            await Heal(database, mechanism, role);
        }
        finally
        {
            await database.Execute($"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}", CancellationToken.None);
        }
        Assert.Equal([], healthy.CompareWith(await database.Fingerprint(Token)).Tables.Select(table => table.ToString()));
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)[0-9]*$'", Token));
    }

    private async Task Heal(TestDatabase database, Mechanism mechanism, string role)
    {
        var connection = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = role }.ConnectionString;
        var treatment = KillWard.Treat(mechanism, connection, database.Cluster.DataDirectory, state);
        StateDirectory.Open(state);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Task<bool>? held = null;
        var cases = await (treatment with
        {
            After = async (fact, _) =>
            {
                if (fact.Kind != Facts.Intended || mechanism.Stall is not { } stall || mechanism.OneTransaction || held is not null)
                    return;
                var holder = await database.Cluster.Connect(database.Name, Token);
                await using (var command = new NpgsqlCommand($"BEGIN; {stall}", holder))
                    await command.ExecuteNonQueryAsync(Token);
                held = ReleaseAfterTheirLimits(database, holder, over.Token);
            },
        }).Run(Token);
        await over.CancelAsync();
        var waited = held is null || await held;

        Assert.Contains(cases, done => done.Outcome is Outcome.Healed);
        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Transient, $"{done.Case.Cause}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.True(waited, "nothing waited for as long as the role may");
        Assert.Empty((await treatment.Look(Token)).Findings);
        await using var ledger = SqliteLedger.Open(treatment.Ledger);
        foreach (var done in cases)
            Assert.DoesNotContain(await ledger.FactsOf(done.Case.Id, Token), fact => fact.Kind == Facts.Failed);
    }

    /// <summary>When a statement of ours has waited for longer than all that the role may, and the session beside it was idle for as long.</summary>
    private static async Task<bool> ReleaseAfterTheirLimits(TestDatabase database, NpgsqlConnection holder, CancellationToken over)
    {
        await using (holder)
            while (!await database.Scalar<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'kintsugi' AND wait_event_type = 'Lock' "
                + "AND datname = current_database() AND query_start < now() - interval '2 seconds')", Token))
            {
                if (over.IsCancellationRequested)
                    return false;
                await Task.Delay(50, Token);
            }
        return true;
    }

    public static TheoryData<string, int> Losses()
    {
        var data = new TheoryData<string, int>();
        foreach (var name in (string[])["rebuild-index", "quarantine-orphans"])
            foreach (var row in TestMajors.Wide.Where(row => All || (row.Data == TestMajors.Newest && name == "rebuild-index")))
                data.Add(name, row.Data);
        return data;
    }

    [Theory, MemberData(nameof(Losses))]
    public async Task A_role_that_loses_its_rights_in_the_middle_leaves_what_it_gets_back_to(string name, int major)
    {
        await using var database = await servers.Cluster(major, Token);
        var mechanism = Mechanism.Named(name);
        await database.Execute(mechanism.Prepare, Token);
        await database.Execute("CREATE TABLE beside AS SELECT g AS id FROM generate_series(1, 100) g; CREATE INDEX beside_id ON beside (id)", Token);
        await database.Execute("CREATE ROLE healer SUPERUSER LOGIN", Token);
        await using var patient = await KillPatient.Admit(database, mechanism, state, Token);
        patient.User = "healer";
        for (var fact = 0; fact < await patient.Facts(); fact++)
        {
            if (!All && fact % 3 != 0)
                continue;
            await patient.Interrupt(async () =>
            {
                await patient.RunWith(fact, () => database.Execute("ALTER ROLE healer NOSUPERUSER", Token));
                await database.Execute("ALTER ROLE healer SUPERUSER", Token);
            });
        }
    }
}
