using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Healing;

/// <summary>One cluster that is injured, half healed and interrupted again and again, and has to be whole after each next run.</summary>
internal sealed class KillPatient(TestDatabase database, Mechanism mechanism, string state, Fingerprint before, string shape, CancellationToken stop)
    : IAsyncDisposable
{
    private NpgsqlConnection? stall;
    private int? facts;

    public TestDatabase Database => database;
    public Mechanism Mechanism => mechanism;

    // Each kill has a ledger of its own, or attempts of the same case would add up.
    public Treatment Treatment { get; private set; } = KillWard.Treat(mechanism, database.ConnectionString, database.Cluster.DataDirectory, state);

    /// <summary>Who heals; the superuser of the cluster unless another is named.</summary>
    public string User { get; set; } = "postgres";

    /// <summary>What the snapshot store is told of its disk; null for the truth.</summary>
    public Func<string, long>? FreeBytes { get; set; }

    private string Connection => new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = User }.ConnectionString;

    public static async Task<KillPatient> Admit(TestDatabase database, Mechanism mechanism, string state, CancellationToken stop) =>
        new(database, mechanism, state, await database.Fingerprint(stop), await Shape(database, mechanism, stop), stop);

    /// <summary>How many facts a run writes that nobody disturbs; the run itself is the first proof.</summary>
    public async Task<int> Facts()
    {
        if (facts is { } known)
            return known;
        var count = 0;
        await Injure();
        var cases = await (Treatment with { After = (_, number) => { count = number + 1; return ValueTask.CompletedTask; } }).Run(stop);
        var done = Assert.Single(cases);
        Assert.True(done.Outcome is Outcome.Healed, $"{done.Outcome.Word}: {done.Outcome.Why}");
        await AssertWhole();
        facts = count;
        return count;
    }

    /// <summary>Injures, lets the interruption happen, runs once more, and proves that all is well.</summary>
    public async Task Interrupt(Func<Task> interrupted)
    {
        await Injure();
        await interrupted();
        // A server that was started again listens on another port.
        Treatment = Treatment with { ConnectionString = Connection };
        var cases = await Treatment.Run(stop);
        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Transient, $"{done.Outcome.Word}: {done.Outcome.Why}"));
        await AssertWhole();
    }

    /// <summary>Heals in this process and lets the deed happen after that fact; a lost patient may end the run.</summary>
    public async Task RunWith(int at, Func<Task> deed)
    {
        try
        {
            await (Treatment with { After = async (_, number) => { if (number == at) await deed(); } }).Run(stop);
        }
        catch (Exception lost) when (lost is PatientException or HealingException or StateException)
        {
            // As the command line would: it says so and ends. What it had begun is the next run's.
            TestContext.Current.TestOutputHelper?.WriteLine($"after fact {at}: {lost.Message}");
        }
    }

    /// <summary>Heals in this process and lets the deed happen after the first fact of that kind.</summary>
    public async Task RunAt(string kind, Func<Task> deed)
    {
        var happened = false;
        await (Treatment with
        {
            After = async (fact, _) =>
            {
                if (happened || fact.Kind != kind)
                    return;
                happened = true;
                await deed();
            },
        }).Run(stop);
        Assert.True(happened, $"no fact was {kind}");
    }

    /// <summary>Only those that are there now: a healer that goes on opens new ones meanwhile.</summary>
    public async Task TerminateBackends()
    {
        var pids = await database.Scalar<string>(
            "SELECT coalesce(string_agg(pid::text, ','), '0') FROM pg_stat_activity WHERE application_name = 'kintsugi'", stop);
        await database.Cluster.Execute("postgres", $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN ({pids})", stop);
        await Until($"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid IN ({pids}) AND application_name = 'kintsugi')");
    }

    public Task InTheMiddle(Func<Task> work) => InTheMiddle(mechanism.Stall!, work);

    public async Task InTheMiddle(string hold, Func<Task> work)
    {
        stall = await database.Cluster.Connect(database.Name, stop);
        await using (var command = new NpgsqlCommand($"BEGIN; {hold}", stall))
            await command.ExecuteNonQueryAsync(stop);
        await work();
        await ReleaseStall();
    }

    public Task AwaitStall() => Until(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'kintsugi' AND wait_event_type = 'Lock')");

    public async Task ReleaseStall()
    {
        if (stall is not null)
            await stall.DisposeAsync();
        stall = null;
    }

    public async ValueTask DisposeAsync()
    {
        await ReleaseStall();
        await database.DisposeAsync();
    }

    private async Task Injure()
    {
        Treatment = Treatment with { State = Path.Combine(state, Guid.NewGuid().ToString("N")), ConnectionString = Connection, FreeBytes = FreeBytes };
        StateDirectory.Open(Treatment.State);
        foreach (var statement in mechanism.Injure.Split(";;"))
            await database.Execute(statement, stop);
        if (mechanism.Restarts)
        {
            await database.Cluster.Stop(StopMode.Fast, stop);
            await database.Cluster.Start(stop);
            Treatment = Treatment with { ConnectionString = Connection };
        }
        Assert.True(await database.Scalar<bool>(mechanism.Took, stop));
        Assert.NotEmpty((await Treatment.Look(stop)).Findings);
    }

    private async Task AssertWhole()
    {
        Assert.Empty((await Treatment.Look(stop)).Findings);
        Assert.Equal(shape, await Shape(database, mechanism, stop));
        // A crash empties unlogged tables; that is what they are.
        Assert.Equal([], before.CompareWith(await database.Fingerprint(stop), "\"public\".\"playback_sessions\"").Tables.Select(table => table.ToString()));
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", stop));
        await using var ledger = SqliteLedger.Open(Treatment.Ledger);
        Assert.Empty(await ledger.Verify(stop));
        Assert.All(await ledger.Cases(null, stop), row => Assert.Contains(row.State, (string[])["healed", "transient"]));
    }

    /// <summary>Every index with its state, and the files of the table and of the neighbour.</summary>
    private static async Task<string> Shape(TestDatabase database, Mechanism mechanism, CancellationToken stop) => await database.Scalar<string>("""
        SELECT string_agg(format('%s %s %s %s', c.relname, i.indisvalid, i.indisready, CASE WHEN t.relname = 'beside' THEN c.relfilenode END), '; '
                          ORDER BY c.relname)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
        WHERE t.relname IN ('ward', 'beside')
        """, stop) + await database.Scalar<string>(
        $"SELECT string_agg(format('%s %s', relname, relfilenode), '; ' ORDER BY relname) FROM pg_class WHERE relname IN ('{(mechanism.Rewrites ? "" : "ward")}', 'beside')", stop)
        ?? "";

    public async Task Until(string sql)
    {
        while (!await database.Scalar<bool>(sql, stop))
            await Task.Delay(TimeSpan.FromMilliseconds(20), stop);
    }
}
