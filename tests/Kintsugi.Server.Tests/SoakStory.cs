using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Server.Tests;

/// <summary>What happens to the service and its patient, one thing after the other, as the seed has it.</summary>
internal sealed class SoakStory(Service service, TestDatabase database, Soak soak, WebhookReceiver receiver, Random random)
{
    private static readonly Injury[] Injuries =
        [new BTreeEntryMissing(), new ReindexLeftover(), new OrphanSingle(), new OrphanComposite(), new HashEntryLost(), new GinEntryMissing(), new GistEntryMissing()];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

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

    /// <summary>What is left waits for a person: its reason says so.</summary>
    public static bool IsSettled(CaseRow row) => row.State is "healed" or "transient" or "escalated" or "accepted" or "rejected";

    public static string Configuration(TestDatabase database, Soak soak, WebhookReceiver receiver) => $$"""
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
}
