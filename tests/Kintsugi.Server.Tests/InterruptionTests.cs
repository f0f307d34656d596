using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Server.Tests;

/// <summary>A service that is killed, stopped or paused in the middle of its work leaves nothing half done.</summary>
public sealed class InterruptionTests(Servers servers)
{
    private const string Leftovers = "SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)'";
    private const string Healthy = "SELECT EXISTS (SELECT FROM movies WHERE id = 777)";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("KILL", 137)]
    [InlineData("TERM", 0)]
    public async Task Ended_in_the_middle_of_a_rebuild_the_next_start_finishes_it(string signal, int code)
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var before = await database.Fingerprint(Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new BTreeEntryMissing()], Stop);
        await using var service = new Service();
        service.Write(Service.Block + "targets:\n" + Service.Target(database));

        // A concurrent rebuild waits for every transaction that has written to the table: it stands still while this one is open.
        await using (var holder = new NpgsqlConnection(database.ConnectionString))
        {
            await holder.OpenAsync(Stop);
            await using var transaction = await holder.BeginTransactionAsync(Stop);
            await using var command = new NpgsqlCommand("LOCK TABLE movies IN ROW EXCLUSIVE MODE", holder, transaction);
            await command.ExecuteNonQueryAsync(Stop);
            service.Start();
            await service.Until("the rebuild waits", () => database.Scalar<bool>(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'REINDEX%movies_pkey%' AND wait_event_type = 'Lock' AND datname = current_database())", Stop));
            await service.Signal(signal);
            Assert.Equal(code, await service.End());
            Assert.DoesNotContain("healed", (await service.Cases()).Select(row => row.State));
        }

        service.Start();
        await service.Until("the case is healed", async () => (await service.Cases()).Any(row => row is { State: "healed", Object: "public.movies_pkey" }));
        Assert.True(await database.Scalar<bool>(Healthy, Stop));
        Assert.Equal(0, await database.Scalar<long>(Leftovers, Stop));
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        Assert.Equal(1, await database.Scalar<long>("SELECT count(*) FROM kintsugi.audit_log WHERE metadata ->> 'object' = 'public.movies_pkey'", Stop));
    }

    [Fact]
    public async Task A_pause_stops_repairs_visibly_and_a_job_can_be_run_by_hand()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await using var service = new Service();
        service.Write(Service.Block + "targets:\n" + Service.Target(database));
        service.Start();
        await service.Until("the first health check", async () =>
            (await service.Run("jobs", "list", "--format", "json")).Out.Contains("\"state\": \"done\"", StringComparison.Ordinal));
        Assert.Equal(0, (await service.Run("pause", "--for", "2h", "--because", "restoring a backup")).Code);
        await Injury.Inflict(database.Cluster, database.Name, [new BTreeEntryMissing()], Stop);

        Assert.Equal(0, (await service.Run("jobs", "run", "db.index_check", "public.movies")).Code);
        await service.Until("the case is open", async () => (await service.Cases()).Any(row => row.Object == "public.movies_pkey"));
        Assert.Contains("PAUSED repairs", (await service.Run("jobs")).Out, StringComparison.Ordinal);
        Assert.Contains("restoring a backup", (await service.Run("jobs")).Out, StringComparison.Ordinal);
        await service.Until("the pause is counted", async () => Figure(await service.Metrics(), "kintsugi_repairs_paused") == "1");
        await service.Until("the open case is counted", async () => (await service.Metrics()).Split('\n').Any(line =>
            line.StartsWith("kintsugi_cases_open{", StringComparison.Ordinal) && line.Contains("index-corrupt", StringComparison.Ordinal)
            && line.Contains("\"open\"", StringComparison.Ordinal) && line.EndsWith(" 1", StringComparison.Ordinal)));
        Assert.Equal("open", Assert.Single(await service.Cases()).State);
        Assert.False(await database.Scalar<bool>(Healthy, Stop));

        Assert.Contains("goes on", (await service.Run("resume")).Out, StringComparison.Ordinal);
        await service.Until("the case is healed", async () => (await service.Cases()).Any(row => row.State == "healed"));
        Assert.True(await database.Scalar<bool>(Healthy, Stop));

        var unknown = await service.Run("jobs", "run", "db.nonsense");
        Assert.Equal(1, unknown.Code);
        Assert.Contains("db.orphan_cleanup", unknown.Out, StringComparison.Ordinal);
    }

    private static string? Figure(string metrics, string name) =>
        metrics.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(' ')[1];
}
