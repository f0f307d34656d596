using Kintsugi.Lab;
using Kintsugi.Lab.Damage;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;

namespace Kintsugi.Server.Tests;

/// <summary>What happens to the service and its patient, one thing after the other, as the seed has it.</summary>
internal sealed class SoakStory(Service service, TestDatabase database, Soak soak, WebhookReceiver receiver, Random random)
{
    private static readonly Injury[] Injuries =
    [
        new BTreeEntryMissing(), new ReindexLeftover(), new OrphanSingle(), new OrphanComposite(), new HashEntryLost(), new GinEntryMissing(), new GistEntryMissing(),
        new BTreeBitRot(), new BTreeTruncated(), new VisibilityMapLies(), new VisibilityMapGarbage(), new FreeSpaceMapGarbage(), new HeapHeaderDamaged(),
        new SequenceBehind(), new SettingsOfNoObject(),
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private int injuries;
    private int spared;
    private int kills;
    private int restarts;
    private int outages;
    private int fullDisks;

    private readonly List<string> journal = [];

    public HashSet<Injury> Inflicted { get; } = [];

    public override string ToString() =>
        $"{injuries} injuries of {Inflicted.Count} kinds (and {spared} that had nothing to take), {kills} kills, {restarts} restarts, {outages} outages of the receiver, {fullDisks} full disks";

    /// <summary>What happened so far, how the cases stand and what the service said last: whoever looks for the reason of a failure begins here.</summary>
    public async Task<string> Told()
    {
        var rows = await service.Cases();
        var said = service.Said;
        return string.Join('\n', [ToString(), .. journal, .. rows.Select(row => $"{row.LastChanged:T} {row.Id} {row.Fault} {row.Object}: {row.State} {row.Reason}"),
            said[Math.Max(0, said.Length - 20_000)..]]);
    }

    private void Note(string what) => journal.Add($"{TimeProvider.System.GetUtcNow():T} {what}");

    /// <param name="mayEnd">Whether the service may be killed or started again.</param>
    public async Task Happen(bool mayEnd)
    {
        switch (random.Next(10) is var number && !mayEnd && number is 6 or 7 ? 0 : number)
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
                Note("the receiver is away");
                receiver.Down = true;
                await Injure();
                receiver.Down = false;
                break;
            default:
                fullDisks++;
                Note("the disk is full");
                soak.Fill();
                await Injure();
                await Task.Delay(TimeSpan.FromSeconds(2), Stop);
                soak.Free();
                Note("the disk is freed");
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
        if ((await service.Cases()).Where(row => IsOf(injury, row) && row.State is not ("healed" or "transient")).ToList() is { Count: > 0 } open)
        {
            foreach (var row in open.Where(row => row.State is "escalated" or "waiting"))
            {
                Note($"a person lets {row.Object} be tried again: {row.State} {row.Reason}");
                await service.Run("cases", "retry", row.Id);
            }
            return;
        }
        Note($"{injury.Name} on {injury.Target}");
        var begun = TimeProvider.System.GetUtcNow();
        try
        {
            await Injury.Inflict(database.Cluster, database.Name, [injury], Stop);
        }
        catch (Exception nothing) when (nothing is LabException { Message: var said } && said.Contains("did not take", StringComparison.Ordinal)
            || nothing is Npgsql.PostgresException { SqlState: "23505" })
        {
            // After its repair a map may say by right what it said as a lie; and rows that were put there behind another damage may be there still.
            Note(nothing.Message);
            spared++;
            if (!database.Cluster.IsRunning)
                await database.Cluster.Start(Stop);
            service.Write(Configuration(database, soak, receiver));
            return;
        }
        // A server that was stopped for it comes back on another port: the file is read again.
        service.Write(Configuration(database, soak, receiver));
        injuries++;
        Inflicted.Add(injury);
        await service.Until($"{injury.Name} is seen", async () => (await service.Cases()).Any(row => row.LastChanged > begun && IsOf(injury, row)));
    }

    /// <summary>By its fault or, whatever a check calls it, by its place.</summary>
    public static bool IsOf(Injury injury, CaseRow row) => row.Fault == injury.Fault.Id || injury.Alike.Any(alike => alike.Id == row.Fault)
        || row.Object == injury.Target.ToString();

    public async Task Again(string signal)
    {
        Note(signal);
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
        policy: { confirm_after: 1s, repair_existing: true, sequence-behind: auto, page-invalid: auto }
        consistency: { json: [ { column: public.users.settings, schema: { type: object }, repair: quarantine } ] }
        breaker: { new_objects: 1000, new_findings: 1000, rise: 1000 }
        budget: { cases_per_hour: 100000, rows_per_day: 1000000 }
        snapshots: { directory: {{soak.Disk}}/snapshots, keep: { last: 2, size: 8MB } }
        alerts: { receivers: [ { name: ops, webhook: "{{receiver.Url}}" } ] }
        targets:

        """ + Service.Target(database).Replace($"databases: [{database.Name}]", $"databases: [{database.Name}, bench]", StringComparison.Ordinal);
}

/// <summary>A row whose JSON the owner's rule forbids; the rule says what is to become of it.</summary>
internal sealed class SettingsOfNoObject() : SqlInjury(
    "settings-no-object", "An old client wrote a list where everybody reads an object.", Faults.JsonInvalid, new InjuryTarget("public", "users"),
    // Without the sample's trigger, which would write of it in another table.
    ["SET session_replication_role = replica; INSERT INTO users (id, handle, email, settings, joined_on) VALUES (900301, 'listed', 'listed@example.org', '[1, 2]', '2026-01-01')"],
    "SELECT count(*) = 1 FROM users WHERE jsonb_typeof(settings) <> 'object'");
