using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Server.Tests;

/// <summary>The promise of the service: an index is damaged, and nobody has to do anything.</summary>
public sealed class ShownByTests(Servers servers)
{
    /// <summary>The files of every other index of the database.</summary>
    private const string Neighbours = "SELECT string_agg(oid || ' ' || relfilenode, ',' ORDER BY oid) FROM pg_class "
        + "WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace AND relname <> 'movies_pkey'";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task<TestDatabase> Injured()
    {
        var database = await servers.Database(TestMajors.Newest, Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new BTreeEntryMissing()], Stop);
        return database;
    }

    private static string Alerts(WebhookReceiver receiver, string more = "") => $$"""
        alerts:
          receivers:
            - { name: ops, webhook: "{{receiver.Url}}", secret: "s3cret" }
        {{more}}
        """;

    [Fact]
    public async Task Within_one_health_check_it_is_found_snapshotted_rebuilt_proven_logged_counted_and_alerted()
    {
        using var receiver = new WebhookReceiver();
        // Takes the connection and never answers: nobody else may wait for it.
        using var hanging = new TcpListener(IPAddress.Loopback, 0);
        hanging.Start();
        var hang = $"    - {{ name: hanging, webhook: \"http://{hanging.LocalEndpoint}/\" }}\n";
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var before = await database.Fingerprint(Stop);
        await Injury.Inflict(database.Cluster, database.Name, [new BTreeEntryMissing()], Stop);
        var neighbours = await database.Scalar<string>(Neighbours, Stop);
        Assert.NotNull(neighbours);
        Assert.False(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));

        await using var service = new Service();
        service.Write(Service.Block + "targets:\n" + Service.Target(database) + Alerts(receiver, hang));
        service.Start();
        await service.Until("the alert is resolved", () => receiver.Taken.Any(taken => taken.Body.Contains("\"resolved\"", StringComparison.Ordinal)));

        Assert.True(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));
        Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        Assert.Equal(neighbours, await database.Scalar<string>(Neighbours, Stop));
        await service.Until("audit_log", async () => await database.Scalar<bool>("SELECT to_regclass('kintsugi.audit_log') IS NOT NULL", Stop)
            && await database.Scalar<long>("SELECT count(*) FROM kintsugi.audit_log WHERE metadata ->> 'object' = 'public.movies_pkey'", Stop) == 1);
        await using (var ledger = SqliteLedger.Open(Path.Combine(service.State, "ledger.db")))
        {
            var row = Assert.Single(await ledger.Cases(null, Stop));
            Assert.Equal(("healed", "public.movies_pkey"), (row.State, row.Object));
            Assert.True(Directory.Exists(Path.Combine(service.State, "snapshots", row.Snapshot!)));
        }
        var states = receiver.Taken.Select(taken => JsonDocument.Parse(taken.Body).RootElement)
            .Where(alert => alert.GetProperty("key").GetString()!.StartsWith("case:", StringComparison.Ordinal))
            .Select(alert => (alert.GetProperty("state").GetString(), alert.GetProperty("severity").GetString()));
        Assert.Equal([("firing", "critical"), ("resolved", "critical")], states);
        Assert.All(receiver.Taken, taken => Assert.Equal(taken.Signature, "sha256=" + Convert.ToHexStringLower(
            HMACSHA256.HashData("s3cret"u8, Encoding.UTF8.GetBytes($"{taken.Timestamp}.{taken.Body}")))));
        await MustBeCounted(service);
    }

    private static async Task MustBeCounted(Service service)
    {
        var metrics = "";
        // The reconciler may hand out the repair before the look that found it has ended.
        await service.Until("the metrics", async () => (metrics = await service.Metrics()).Contains("db_repair_success_rate", StringComparison.Ordinal)
            && metrics.Split('\n').Any(line => line.StartsWith("db_health_check_duration_seconds_count", StringComparison.Ordinal) && !line.EndsWith(" 0", StringComparison.Ordinal)));
        var lines = metrics.Split('\n').Where(line => !line.StartsWith('#')).ToList();
        Assert.Contains(lines, line => line.StartsWith("db_corruption_events_total{", StringComparison.Ordinal) && line.Contains("index-corrupt", StringComparison.Ordinal)
            && line.Split(' ')[1] == "1");
        Assert.Contains(lines, line => line.StartsWith("db_repair_attempts_total{", StringComparison.Ordinal) && line.Contains("healed", StringComparison.Ordinal)
            && line.Split(' ')[1] == "1");
        Assert.Contains(lines, line => line.StartsWith("db_repair_success_rate", StringComparison.Ordinal) && line.Split(' ')[1] == "1");
        Assert.Contains(lines, line => line.StartsWith("db_health_check_duration_seconds_count", StringComparison.Ordinal) && line.Split(' ')[1] != "0");
        Assert.Contains(lines, line => line.StartsWith("db_corruption_events_total{", StringComparison.Ordinal) && line.Contains("heap-corrupt", StringComparison.Ordinal)
            && line.Split(' ')[1] == "0");
    }

    [Fact]
    public async Task A_dead_target_an_absent_receiver_and_a_kill_hold_up_nobody_and_observing_touches_nothing()
    {
        using var receiver = new WebhookReceiver { Down = true };
        await using var database = await Injured();
        await using var service = new Service();
        var gone = $"  - {{ name: gone, connection: \"host=127.0.0.1 port={WebhookReceiver.FreePort()} user=postgres\" }}\n";
        service.Write(Service.Block.Replace("enabled: true", "enabled: false", StringComparison.Ordinal) + "targets:\n" + gone + Service.Target(database) + Alerts(receiver));
        service.Start();
        await service.Until("the case waits", async () =>
            (await service.Cases()).Any(row => row is { State: "waiting", Object: "public.movies_pkey" }));
        Assert.False(await database.Scalar<bool>("SELECT EXISTS (SELECT FROM movies WHERE id = 777)", Stop));
        await service.Until("the other target's absence is told", () => service.Said.Contains("gone cannot be examined now", StringComparison.Ordinal));

        await service.Signal("KILL");
        await service.End();
        receiver.Down = false;
        service.Write(Service.Block.Replace("enabled: true", "enabled: false", StringComparison.Ordinal) + "targets:\n" + gone + Service.Target(database) + Alerts(receiver));
        service.Start();
        await service.Until("the message that waited", () => !receiver.Taken.IsEmpty);

        File.AppendAllText(service.ConfigurationFile, "nonsense: 1\n");
        await service.Signal("HUP");
        await service.Until("the refusal is visible", async () =>
            (await service.Metrics()).Split('\n').Any(line =>
                line.StartsWith("kintsugi_config_reload_success", StringComparison.Ordinal) && line.Split(' ')[1] == "0"));
        Assert.Contains("nonsense", service.Said, StringComparison.Ordinal);
        await service.Signal("TERM");
        Assert.Equal(0, await service.End());
        Assert.Single(receiver.Taken, taken => taken.Body.Contains("\"case:", StringComparison.Ordinal));
    }


    [Fact]
    public async Task A_bad_configuration_a_port_in_use_and_a_second_service_on_one_state_refuse_to_start()
    {
        await using var service = new Service();
        service.Write("database:\n  auto_healing:\n    enabeld: true\n");
        service.Start();
        Assert.Equal(1, await service.End());
        Assert.Contains("config.yaml:3:5", service.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", service.Said, StringComparison.Ordinal);

        var targets = Enumerable.Range(0, 400).Select(n => $"  - {{ name: t{n}, {(n == 250 ? "datbases" : "databases")}: [app], connection: \"host=127.0.0.1 port=1\" }}").ToList();
        service.Write(string.Join('\n', ["targets:", .. targets, ""]));
        service.Start();
        Assert.Equal(1, await service.End());
        Assert.Contains("config.yaml:252:", service.Said, StringComparison.Ordinal);
        Assert.Contains("datbases", service.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("config.yaml:251:", service.Said, StringComparison.Ordinal);

        service.Write(Service.Block);
        using (var taken = new TcpListener(IPAddress.Loopback, service.Port))
        {
            taken.Start();
            service.Start();
            Assert.Equal(1, await service.End());
            Assert.Contains($"127.0.0.1:{service.Port} cannot be listened on", service.Said, StringComparison.Ordinal);
        }
        Directory.CreateDirectory(service.State, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var held = new FileStream(
            Path.Combine(service.State, "service.lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        service.Start();
        Assert.Equal(1, await service.End());
        Assert.Contains("another kintsugi serve works with the state directory", service.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", service.Said, StringComparison.Ordinal);
    }
}
