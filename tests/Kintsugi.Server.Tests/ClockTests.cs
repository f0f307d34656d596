using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Microsoft.Data.Sqlite;

namespace Kintsugi.Server.Tests;

/// <summary>What a clock that ran ahead left in our files: everything there is from next year, and nobody waits until it is overtaken.</summary>
public sealed class ClockTests(Servers servers)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_clock_that_was_put_back_by_a_year_holds_up_no_look_and_no_repair()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new BTreeEntryMissing()], Stop);
        await using var service = new Service();
        var configuration = Service.Block.Replace("health_check_interval: 10m", "health_check_interval: 5s", StringComparison.Ordinal);
        service.Write(configuration.Replace("enabled: true", "enabled: false", StringComparison.Ordinal) + "targets:\n" + Service.Target(database));
        service.Start();
        await service.Until("the case waits", async () => (await service.Cases()).Any(row => row is { State: "waiting", Object: "public.movies_pkey" }));
        await service.Signal("TERM");
        await service.End();

        // What ran was recorded, planned and repeated by the clock of next year. (Quartz keeps ticks.)
        Change(service, "jobs.db", $"update QRTZ_TRIGGERS set NEXT_FIRE_TIME = NEXT_FIRE_TIME + {TimeSpan.FromDays(365).Ticks}, "
            + $"PREV_FIRE_TIME = PREV_FIRE_TIME + {TimeSpan.FromDays(365).Ticks}");
        Change(service, "service.db", """
            update runs set started = (cast(substr(started, 1, 4) as integer) + 1) || substr(started, 5), ended = (cast(substr(ended, 1, 4) as integer) + 1) || substr(ended, 5)
            """);
        Change(service, "ledger.db", "update cases set last_changed = (cast(substr(last_changed, 1, 4) as integer) + 1) || substr(last_changed, 5)");
        service.Write(configuration + "targets:\n" + Service.Target(database));
        service.Start();
        await service.Until("the case is healed", async () => (await service.Cases()).Any(row => row is { State: "healed", Object: "public.movies_pkey" }));
        var now = TimeProvider.System.GetUtcNow();
        Assert.All(await service.Cases(), row => Assert.True(row.LastChanged < now.AddMinutes(1), $"{row.LastChanged:u}"));
        await service.Until("each look is planned within its interval again", async () =>
        {
            using var jobs = System.Text.Json.JsonDocument.Parse((await service.Run("jobs", "list", "--format", "json")).Out);
            return jobs.RootElement.GetProperty("jobs").EnumerateArray().Select(job => job.GetProperty("next")).All(next =>
                next.ValueKind == System.Text.Json.JsonValueKind.String && next.GetDateTimeOffset() < now.AddDays(8));
        });
    }

    [Fact]
    public async Task A_first_look_whose_moment_was_missed_does_not_wait_for_a_whole_interval()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await using var service = new Service();
        service.Write(Service.Block + "targets:\n" + Service.Target(database));
        service.Start();
        await service.Until("the looks are planned", async () => (await service.Run("jobs")).Out.Contains("db.orphan_cleanup    every", StringComparison.Ordinal));
        await service.Signal("TERM");
        await service.End();
        Assert.DoesNotContain("db.orphan_cleanup    done", (await service.Run("jobs")).Out, StringComparison.Ordinal);

        // As Quartz leaves a trigger that it was too late for: never fired, and the next time is a day away.
        Change(service, "jobs.db", $"""
            update QRTZ_TRIGGERS set START_TIME = START_TIME - {TimeSpan.FromHours(1).Ticks}, NEXT_FIRE_TIME = START_TIME + {TimeSpan.FromHours(23).Ticks}
            where TRIGGER_NAME = 'db.orphan_cleanup' and PREV_FIRE_TIME is null
            """);
        service.Start();
        await service.Until("it is made up for", async () => (await service.Run("jobs")).Out.Contains("db.orphan_cleanup    done", StringComparison.Ordinal));
    }

    private static void Change(Service service, string file, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(service.State, file)};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        Assert.True(command.ExecuteNonQuery() > 0);
    }
}
