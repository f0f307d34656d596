using System.Diagnostics;
using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Server.Tests;

/// <summary>Two services on one ledger in PostgreSQL, which lies on another server than the patient.</summary>
public sealed class NodesTests(Servers servers)
{
    private const string Leftovers = "SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)'";
    private const string Rebuilds = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'REINDEX%movies_pkey%' AND datname = current_database()";

    /// <summary>Copies of one golden cluster have one system identifier: the ledger's server is a copy of another.</summary>
    private static readonly ClusterOptions OfItsOwn = new() { Checksums = false };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Configuration(TestDatabase patient, TestDatabase ledger, string more = "") =>
        Service.Block + "targets:\n" + Service.Target(patient) + Service.SharedLedger(ledger) + more;

    /// <summary>The oldest server does not see that a client is gone before its statement ends.</summary>
    [Theory]
    [MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task Two_nodes_on_one_PostgreSQL_one_killed_in_the_middle_of_a_repair_the_other_finishes(int major)
    {
        Assert.SkipUnless(major == TestMajors.Newest || Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1", "the oldest major: ./test --all");
        await using var ledger = await servers.Cluster(major, OfItsOwn, Stop);
        await using var patient = await servers.Database(major, Stop);
        var before = await patient.Fingerprint(Stop);
        await Injury.Inflict(patient.Cluster, patient.Name, [new BTreeEntryMissing()], Stop);
        await using var first = new Service { Ledger = ledger.ConnectionString };
        await using var second = new Service { Ledger = ledger.ConnectionString };
        first.Write(Configuration(patient, ledger));
        second.Write(Configuration(patient, ledger));
        await using (var holder = new NpgsqlConnection(patient.ConnectionString))
        {
            await holder.OpenAsync(Stop);
            await using var transaction = await holder.BeginTransactionAsync(Stop);
            await using (var command = new NpgsqlCommand("LOCK TABLE movies IN ROW EXCLUSIVE MODE", holder, transaction))
                await command.ExecuteNonQueryAsync(Stop);
            // They start together on an empty database: one makes the schema and Quartz's tables, the other finds them.
            first.Start();
            second.Start();
            await first.Until("the rebuild waits", async () => await patient.Scalar<long>(Rebuilds, Stop) > 0);
            var worker = await ledger.Scalar<string>("SELECT node FROM kintsugi_state.runs WHERE job = 'db.repair' AND state = 'running'", Stop) ?? "";
            var (killed, other) = worker == first.Node ? (first, second) : (second, first);
            await killed.Signal("KILL");
            await killed.End();
            var died = Stopwatch.GetTimestamp();
            await other.Until("the other node takes over", async () => await ledger.Scalar<bool>(
                $"SELECT EXISTS (SELECT FROM kintsugi_state.runs WHERE job = 'db.repair' AND state = 'running' AND node <> '{worker}')", Stop));
            TestContext.Current.SendDiagnosticMessage($"taken over after {Stopwatch.GetElapsedTime(died).TotalSeconds:0.0} s");
            Assert.True(await patient.Scalar<long>(Rebuilds, Stop) <= 1);
        }
        var survivor = first.Ended ? second : first;
        await survivor.Until("the case is healed", async () => (await survivor.Cases()).Any(row => row is { State: "healed", Object: "public.movies_pkey" }));
        Assert.True(await patient.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));
        Assert.Equal(0, await patient.Scalar<long>(Leftovers, Stop));
        Assert.True(before.CompareWith(await patient.Fingerprint(Stop)).IsEmpty);
        Assert.Equal(1, await patient.Scalar<long>("SELECT count(*) FROM kintsugi.audit_log WHERE metadata ->> 'object' = 'public.movies_pkey'", Stop));

        // The one that took over repaired on a snapshot of its own (the oldest server may have gone on with the step to its end, after that of the killed
        // one), and the command line reads the same ledger.
        var row = Assert.Single(await survivor.Cases());
        Assert.Contains(major >= 14 ? [survivor] : new[] { first, second }, node => Directory.Exists(Path.Combine(node.State, "snapshots", row.Snapshot!)));
        var listed = await survivor.Run("cases", "list", "-c", survivor.ConfigurationFile);
        Assert.Contains(row.Id, listed.Out, StringComparison.Ordinal);
        await using var kept = PostgresLedger.Open(ledger.ConnectionString);
        Assert.Empty(await kept.Verify(Stop));
    }

    [Fact]
    public async Task A_look_whose_node_is_killed_is_begun_again_by_the_other_and_nodes_that_differ_are_told()
    {
        await using var ledger = await servers.Cluster(TestMajors.Newest, OfItsOwn, Stop);
        await using var patient = await servers.Database(TestMajors.Newest, Stop);
        await patient.Execute("""
            CREATE FUNCTION held() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
                WHILE NOT pg_catalog.pg_try_advisory_lock_shared(4711) LOOP PERFORM pg_catalog.pg_sleep(0.1); END LOOP;
                PERFORM pg_catalog.pg_advisory_unlock_shared(4711); RETURN false; END $$
            """, Stop);
        await using var gate = new Npgsql.NpgsqlConnection(patient.ConnectionString);
        await gate.OpenAsync(Stop);
        await using var hold = new Npgsql.NpgsqlCommand("SELECT pg_advisory_lock(4711)", gate);
        await hold.ExecuteNonQueryAsync(Stop);
        const string rule = "consistency: { rules: [ { name: waits, table: public.movies, query: select id from public.movies where public.held() } ] }\n";
        await using var first = new Service { Ledger = ledger.ConnectionString };
        await using var second = new Service { Ledger = ledger.ConnectionString };
        first.Write(Configuration(patient, ledger, rule));
        second.Write(Configuration(patient, ledger, rule + "jobs: { checksum_verify_interval: 2w }\n"));
        first.Start();
        second.Start();
        await first.Until("they differ", async () => (await first.Run("jobs", "-c", first.ConfigurationFile)).Out.Contains("THE NODES DIFFER", StringComparison.Ordinal));
        await first.Until("somebody tells it", () => (first.Said + second.Said).Contains("nodes work with different configurations", StringComparison.Ordinal));

        Assert.Equal(0, (await first.Run("jobs", "run", "db.orphan_cleanup", "-c", first.ConfigurationFile)).Code);
        const string running = "SELECT min(node) FROM kintsugi_state.runs WHERE job = 'db.orphan_cleanup' AND state = 'running'";
        string? worker = null;
        await first.Until("the look waits", async () => (worker = await ledger.Scalar<string>(running, Stop)) is not null);
        // It is kept every few seconds, and before nothing could be carried over.
        await first.Until("what it has proven is kept", async () => await ledger.Scalar<long>("SELECT count(*) FROM kintsugi_state.proven", Stop) > 0);
        var (killed, other) = worker == first.Node ? (first, second) : (second, first);
        await killed.Signal("KILL");
        await killed.End();
        var died = Stopwatch.GetTimestamp();
        await other.Until("the other node begins it again", async () => await ledger.Scalar<string>(running, Stop) == other.Node);
        TestContext.Current.SendDiagnosticMessage($"begun again after {Stopwatch.GetElapsedTime(died).TotalSeconds:0.0} s");
        Assert.Equal("lost", await ledger.Scalar<string>($"SELECT state FROM kintsugi_state.runs WHERE node = '{worker}' AND job = 'db.orphan_cleanup'", Stop));
        Assert.True(await ledger.Scalar<long>("SELECT count(*) FROM kintsugi_state.proven", Stop) > 0);
        await using var open = new Npgsql.NpgsqlCommand("SELECT pg_advisory_unlock(4711)", gate);
        await open.ExecuteNonQueryAsync(Stop);
        await other.Until("it ends", async () => await ledger.Scalar<bool>(
            "SELECT EXISTS (SELECT FROM kintsugi_state.runs WHERE job = 'db.orphan_cleanup' AND state = 'done' AND message LIKE '%were proven before this look was cut short')", Stop));
        Assert.Equal(0, await ledger.Scalar<long>("SELECT count(*) FROM kintsugi_state.proven", Stop));
        await other.Until("one node differs from nobody", async () =>
            !(await other.Run("jobs", "-c", other.ConfigurationFile)).Out.Contains("DIFFER", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_ledger_on_the_patients_server_and_a_job_store_of_a_newer_version_are_refused_until_the_owner_allows_it()
    {
        await using var patient = await servers.Database(TestMajors.Newest, Stop);
        await using var service = new Service { Ledger = patient.ConnectionString };
        service.Write(Configuration(patient, patient));
        service.Start();
        Assert.Equal(1, await service.End());
        Assert.Contains("lies on the server of target main", service.Said, StringComparison.Ordinal);
        Assert.Contains("allow_on_target: true", service.Said, StringComparison.Ordinal);

        service.Write(Service.Block + "targets:\n" + Service.Target(patient) + Service.SharedLedger(patient, ", allow_on_target: true"));
        service.Start();
        await service.Until("it works", async () => (await service.Run("jobs", "list", "--format", "json", "-c", service.ConfigurationFile)).Out
            .Contains("\"state\": \"done\"", StringComparison.Ordinal));
        await service.Signal("TERM");
        Assert.Equal(0, await service.End());

        await patient.Execute("UPDATE kintsugi_state.versions SET number = 5001000 WHERE name = 'quartz'", Stop);
        service.Start();
        Assert.Equal(1, await service.End());
        Assert.Contains("is of a newer version (Quartz 5.1.0, this one has 4.7.3)", service.Said, StringComparison.Ordinal);
    }
}
