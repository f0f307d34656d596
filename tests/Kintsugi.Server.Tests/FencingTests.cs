using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Server.Tests;

/// <summary>A node that hangs, as a machine does whose disk or hypervisor is slow, and wakes up when another one has its place.</summary>
public sealed class FencingTests(Servers servers)
{
    private const string Rebuilds = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'REINDEX%movies_pkey%' AND state = 'active' AND datname = current_database()";
    private const string Turns = "SELECT coalesce(max(fence), 0) FROM kintsugi_state.leases WHERE name LIKE 'patient:%'";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_that_slept_through_its_lease_does_no_step_any_more_and_the_other_finishes()
    {
        await using var ledger = await servers.Cluster(TestMajors.Newest, new ClusterOptions { Checksums = false }, Stop);
        await using var patient = await servers.Database(TestMajors.Newest, Stop);
        var before = await patient.Fingerprint(Stop);
        await Injury.Inflict(patient.Cluster, patient.Name, [new BTreeEntryMissing()], Stop);
        await using var sleeper = new Service { Ledger = ledger.ConnectionString };
        await using var other = new Service { Ledger = ledger.ConnectionString };
        foreach (var node in new[] { sleeper, other })
            node.Write(Service.Block + "targets:\n" + Service.Target(patient) + Service.SharedLedger(ledger));
        long steps;
        await using (var holder = new NpgsqlConnection(patient.ConnectionString))
        {
            await holder.OpenAsync(Stop);
            await using var transaction = await holder.BeginTransactionAsync(Stop);
            await using var command = new NpgsqlCommand("LOCK TABLE movies IN ROW EXCLUSIVE MODE", holder, transaction);
            await command.ExecuteNonQueryAsync(Stop);
            sleeper.Start();
            await sleeper.Until("the rebuild waits", async () => await patient.Scalar<long>(Rebuilds, Stop) > 0);
            var turn = await ledger.Scalar<long>(Turns, Stop);
            await sleeper.Signal("STOP");
            other.Start();
            await other.Until("the other node has had a turn at the patient", async () => await ledger.Scalar<long>(Turns, Stop) > turn);
            steps = await Steps(ledger);
        }
        await other.Until("the sleeper's statement ends on the server", async () => await patient.Scalar<long>(Rebuilds, Stop) == 0);
        Assert.Equal(steps, await Steps(ledger));

        await sleeper.Signal("CONT");
        await other.Until("the sleeper sees that it was followed", () => sleeper.Said.Contains("another node has taken over this patient", StringComparison.Ordinal));
        await other.Until("the case is healed", async () => (await other.Cases()).Any(row => row is { State: "healed", Object: "public.movies_pkey" }));
        await sleeper.Signal("TERM");
        await sleeper.End();
        Assert.Equal("healed", Assert.Single(await other.Cases()).State);
        Assert.True(await patient.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));
        Assert.Equal(0, await patient.Scalar<long>("SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)'", Stop));
        Assert.True(before.CompareWith(await patient.Fingerprint(Stop)).IsEmpty);
        Assert.Equal(1, await patient.Scalar<long>("SELECT count(*) FROM kintsugi.audit_log WHERE metadata ->> 'object' = 'public.movies_pkey'", Stop));
        // Its step had ended well on the server; that is told once, by the one whose turn it was.
        Assert.Equal(1, await ledger.Scalar<long>($"SELECT count(*) FROM kintsugi_state.facts WHERE kind = '{Facts.Ended}'", Stop));
        await using var kept = PostgresLedger.Open(ledger.ConnectionString);
        Assert.Empty(await kept.Verify(Stop));
    }

    private static Task<long> Steps(TestDatabase ledger) =>
        ledger.Scalar<long>($"SELECT count(*) FROM kintsugi_state.facts WHERE kind IN ('{Facts.Intended}', '{Facts.Done}')", Stop);
}
