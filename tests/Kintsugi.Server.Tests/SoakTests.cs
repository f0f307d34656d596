using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Server.Tests;

/// <summary>
/// A week in minutes: load, injuries at random, kills, restarts, a full disk under the snapshots, a receiver that is away. In the end all that was
/// injured is healed or with a person, every message arrived, no row is lost and memory has not grown. KINTSUGI_SOAK_MINUTES and KINTSUGI_SOAK_SEED.
/// </summary>
public sealed class SoakTests(Servers servers)
{
    private static readonly Injury[] Injuries =
        [new BTreeEntryMissing(), new ReindexLeftover(), new OrphanSingle(), new OrphanComposite(), new HashEntryLost(), new GinEntryMissing(), new GistEntryMissing()];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    [Fact]
    public async Task A_compressed_week_ends_with_everything_healed_or_escalated_and_nothing_lost()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1", "it takes minutes: ./test --all");
        Assert.SkipUnless(Soak.IsPossible, "it needs pgbench of this machine, and root for a small file system");
        var (length, seed) = (TimeSpan.FromMinutes(Number("KINTSUGI_SOAK_MINUTES", 3)), Number("KINTSUGI_SOAK_SEED", 7));
        using var receiver = new WebhookReceiver();
        await using var database = await servers.Cluster(TestMajors.Newest, Stop);
        await using var soak = await Soak.Begin(database);
        await soak.Load("bench");
        var before = await database.Fingerprint(Stop);
        await using var service = new Service();
        service.Write(Configuration(database, soak, receiver));
        service.Start();
        await service.Until("the first looks", async () => (await service.Run("jobs", "list", "--format", "json")).Out.Contains("db.orphan_cleanup", StringComparison.Ordinal)
            && (await service.Run("jobs")).Out.Contains("done", StringComparison.Ordinal));

        var story = new Story(service, database, soak, receiver, new Random(seed));
        var memory = new List<double>();
        for (var begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < length;)
        {
            await story.Happen();
            memory.Add(Soak.Megabytes(service.Process));
        }
        await story.Calm();
        await MustBeWhole(service, database, receiver, story, before);
        TestContext.Current.SendDiagnosticMessage($"soak of {length.TotalMinutes} min, seed {seed}: {story}; memory {memory.Min():0} to {memory.Max():0} MB, "
            + $"{Soak.Megabytes(service.Process):0} at the end; pgbench ran {soak.Loads} times");
        Assert.True(memory.Max() < 600, $"memory reached {memory.Max():0} MB");
    }

    private static string Configuration(TestDatabase database, Soak soak, WebhookReceiver receiver) => $$"""
        database:
          auto_healing:
            enabled: true
            health_check_interval: 5s
            index_check_interval: 9s
            orphan_cleanup_interval: 7s
            max_auto_repair_attempts: 20
        jobs: { checksum_verify_interval: 23s }
        policy: { confirm_after: 1s, repair_existing: true }
        budget: { cases_per_hour: 100000, rows_per_day: 1000000 }
        snapshots: { directory: {{soak.Disk}}/snapshots, keep: { last: 2, size: 8MB } }
        alerts: { receivers: [ { name: ops, webhook: "{{receiver.Url}}" } ] }
        targets:

        """ + Service.Target(database).Replace($"databases: [{database.Name}]", $"databases: [{database.Name}, bench]", StringComparison.Ordinal);

    private static async Task MustBeWhole(Service service, TestDatabase database, WebhookReceiver receiver, Story story, Lab.Fingerprint before)
    {
        await service.Until("every case is healed or with a person", async () => (await service.Cases()).All(IsSettled));
        var rows = await service.Cases();
        Assert.NotEmpty(story.Inflicted);
        Assert.All(story.Inflicted, injury => Assert.Contains(rows, row => row.Fault == injury.Fault.Id || injury.Alike.Any(alike => alike.Id == row.Fault)));
        if (rows.All(row => row.State is "healed" or "transient"))
            Assert.True(before.CompareWith(await database.Fingerprint(Stop)).IsEmpty);
        // Of each case the receiver heard as often that it began as that it ended, whatever was away meanwhile.
        foreach (var row in rows.Where(row => row.State is "healed" or "transient"))
            await service.Until($"the messages of case {row.Id}", () => receiver.Taken.Select(taken => JsonDocument.Parse(taken.Body).RootElement)
                .Where(alert => alert.GetProperty("key").GetString() == $"case:{row.Id}").Select(alert => alert.GetProperty("state").GetString())
                .ToList() is { Count: > 0 } states && states.Count(state => state == "firing") == states.Count(state => state == "resolved"));
        await using var ledger = SqliteLedger.Open(Path.Combine(service.State, "ledger.db"));
        Assert.Empty(await ledger.Verify(Stop));
    }

    /// <summary>What is left waits for a person: its reason says so.</summary>
    private static bool IsSettled(CaseRow row) => row.State is "healed" or "transient" or "escalated" or "accepted" or "rejected";

    /// <summary>What happens to the service and its patient, one thing after the other, as the seed has it.</summary>
    private sealed class Story(Service service, TestDatabase database, Soak soak, WebhookReceiver receiver, Random random)
    {
        private int injuries;
        private int kills;
        private int restarts;
        private int outages;
        private int fullDisks;

        public HashSet<Injury> Inflicted { get; } = [];

        public override string ToString() =>
            $"{injuries} injuries of {Inflicted.Count} kinds, {kills} kills, {restarts} restarts, {outages} outages of the receiver, {fullDisks} full disks";

        public async Task Happen()
        {
            switch (random.Next(10))
            {
                case < 6:
                    await Injure();
                    break;
                case 6:
                    kills++;
                    await Again("KILL");
                    break;
                case 7:
                    restarts++;
                    await Again("TERM");
                    break;
                case 8:
                    outages++;
                    receiver.Down = true;
                    await Injure();
                    receiver.Down = false;
                    break;
                default:
                    fullDisks++;
                    soak.Fill();
                    await Injure();
                    await Task.Delay(TimeSpan.FromSeconds(2), Stop);
                    soak.Free();
                    break;
            }
        }

        /// <summary>The last injury heals on a machine where nothing else is wrong: what waits beside it is taken up with it.</summary>
        public async Task Calm()
        {
            receiver.Down = false;
            soak.Free();
            for (var round = 0; round < 3; round++)
            {
                await service.Until("something to begin", async () => !(await service.Cases()).Any(row => row.State is "open" or "confirmed"));
                foreach (var row in (await service.Cases()).Where(row => row.State == "waiting"))
                    await service.Run("cases", "retry", row.Id);
            }
        }

        private async Task Injure()
        {
            var injury = Injuries[random.Next(Injuries.Length)];
            // What is injured still is not injured again: its proof would fail on its own debris.
            if ((await service.Cases()).Any(row => !IsSettled(row) && (row.Fault == injury.Fault.Id || injury.Alike.Any(alike => alike.Id == row.Fault))))
                return;
            await Injury.Inflict(database.Cluster, database.Name, [injury], Stop);
            // A server that was stopped for it comes back on another port: the file is read again.
            service.Write(Configuration(database, soak, receiver));
            injuries++;
            Inflicted.Add(injury);
            await service.Until($"{injury.Name} is seen", async () => (await service.Cases()).Any(row => row.LastChanged > TimeProvider.System.GetUtcNow().AddSeconds(-60)
                && (row.Fault == injury.Fault.Id || injury.Alike.Any(alike => alike.Id == row.Fault))));
        }

        private async Task Again(string signal)
        {
            await service.Signal(signal);
            await service.End();
            service.Start();
        }
    }
}
