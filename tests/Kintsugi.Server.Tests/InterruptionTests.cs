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
        var repair = await service.Run("jobs", "run", "db.repair", (await service.Cases())[0].Id);
        Assert.Equal(1, repair.Code);
        Assert.Contains("repairs are paused", repair.Out, StringComparison.Ordinal);
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

    [Fact]
    public async Task A_look_that_a_person_cancels_ends_and_each_finished_one_is_told_to_the_watcher_outside()
    {
        using var watcher = new WebhookReceiver();
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await database.Execute("""
            CREATE FUNCTION held() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); RETURN false; END $$
            """, Stop);
        await using var service = new Service();
        service.Write(Service.Block + $"alerts: {{ dead_man: \"{watcher.Url}\" }}\ntargets:\n" + Service.Target(database)
            + "consistency: { rules: [ { name: waits, table: public.movies, query: select id from public.movies where public.held() } ] }\n");
        service.Start();
        await service.Until("the health check is told", () => !watcher.Taken.IsEmpty);
        Assert.Equal(0, (await service.Run("jobs", "run", "db.orphan_cleanup")).Code);
        const string asleep = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%held()%' AND state = 'active' AND pid <> pg_backend_pid() AND datname = current_database())";
        await service.Until("the look waits", () => database.Scalar<bool>(asleep, Stop));

        Assert.Equal(0, (await service.Run("jobs", "cancel", "db.orphan_cleanup")).Code);
        await service.Until("it is cancelled", async () => (await service.Run("jobs", "list", "--format", "json")).Out.Contains("\"state\": \"cancelled\"", StringComparison.Ordinal));
        await service.Until("nothing of it is left on the server", async () => !await database.Scalar<bool>(asleep, Stop));

        Assert.Equal(0, (await service.Run("jobs", "run", "db.index_check", "public.nowhere")).Code);
        await service.Until("a table that is not there is told", async () =>
            (await service.Run("jobs")).Out.Contains("there is no table public.nowhere", StringComparison.Ordinal));
    }

    private static string? Figure(string metrics, string name) =>
        metrics.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(' ')[1];
}
