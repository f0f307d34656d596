namespace Kintsugi.Engine.Tests.Simulation;

/// <summary>Everything that outlives a run: the patient, the ledger, the snapshots, the clock, and the people around.</summary>
internal sealed class World : IDisposable
{
    public const string Server = "simulated";

    private readonly Dictionary<string, SickThing> byCase = [];
    private CancellationTokenSource stop = new();

    public World(int seed)
    {
        Chance = new Chance(seed);
        Laws = new Laws(this);
        Ledger = new SimulatedLedger(this);
        Things = [.. Enumerable.Range(0, 1 + Chance.Below(5))
            .Select(i => new SickThing($"thing{i}", Ailment.All[Chance.Is(0.4) ? 1 + Chance.Below(2) : Chance.Below(Ailment.All.Count)]))];
        foreach (var thing in Things)
        {
            thing.Fall(1 + Chance.Below(3));
            byCase[Diagnosis.Cases([thing.Finding])[0].Id] = thing;
        }
        Chance.Rate = Chance.Of(0, 0.01, 0.05, 0.15);
        Policy = MakePolicy();
    }

    public Chance Chance { get; }
    public SimulatedClock Clock { get; } = new();
    public Laws Laws { get; }
    public SimulatedLedger Ledger { get; }
    public IReadOnlyList<SickThing> Things { get; }
    public Policy Policy { get; private set; }
    public Dictionary<string, (string Plan, SnapshotGrade Grade)> Snapshots { get; } = [];
    public HashSet<string> Proven { get; } = [];
    public bool RoomIsTaken { get; set; }
    public bool Tripped { get; set; }
    public int Tokens { get; set; }
    public CancellationToken Stop => stop.Token;

    public SickThing Thing(string name) => Things.First(thing => name.EndsWith(thing.Name, StringComparison.Ordinal));

    public SickThing ThingOf(string caseId) => byCase[caseId];

    public void Dispose() => stop.Dispose();

    public void Interrupt() => stop.Cancel();

    /// <summary>The patient lives on while it is looked at: what is sick may change at any moment.</summary>
    public void Breathe()
    {
        Clock.Pass(TimeSpan.FromSeconds(Chance.Below(20)));
        if (Chance.Accident(0.5))
            Change();
    }

    /// <summary>A process ended, in whatever way: its locks are free, and the next one begins without knowing anything.</summary>
    public void EndRun()
    {
        RoomIsTaken = false;
        stop.Dispose();
        stop = new CancellationTokenSource();
        Laws.NewRun();
    }

    /// <summary>Time goes by, accidents happen, people say things.</summary>
    public async ValueTask Between()
    {
        Clock.Pass(TimeSpan.FromMinutes(Chance.Of(1, 20, 50, 300, 1500)));
        if (Chance.Is(0.3))
            Change();
        if (Tripped && Chance.Is(0.7))
            await ResetBreaker();
        foreach (var id in Ledger.CaseIds.ToList())
            if (Chance.Is(0.4))
                Speak(id);
        if (Chance.Is(0.3))
            Policy = MakePolicy();
    }

    public async ValueTask ResetBreaker()
    {
        await CircuitBreaker.TakeBack(Ledger, Server, "a person", "the disk was changed", Clock.GetUtcNow(), CancellationToken.None);
        Tripped = false;
    }

    /// <summary>Nothing bad happens any more, and people say yes to whatever they are asked.</summary>
    public async ValueTask CalmDown()
    {
        Chance.Rate = 0;
        Clock.Pass(TimeSpan.FromDays(2));
        await ResetBreaker();
        Policy = Policy with { Heal = true, Consent = true, Allow = Grade.Lossy, Windows = [], MaxAttempts = 3 };
        foreach (var id in Ledger.CaseIds.ToList())
        {
            Say(id, Facts.Accepted, ("until", Clock.GetUtcNow().AddSeconds(-1).ToString("o")));
            Say(id, Facts.Retried);
            if (new CaseHistory(Ledger.Of(id)).ReadPlan() is { } plan)
                Say(id, Facts.Approved, ("plan", plan.Hash));
        }
    }

    private void Change()
    {
        var thing = Chance.Of([.. Things]);
        switch (Chance.Below(5))
        {
            case 0:
                // Somebody else mended it, or the parents of the orphans came back.
                thing.Sick.Clear();
                break;
            case 1:
                thing.Dropped = true;
                thing.Debris.Clear();
                break;
            case 2 when thing.Ailment.Check == "pages":
                thing.Fall(1);
                foreach (var other in Things.Where(other => other.Ailment.Check == "pages"))
                    other.Fall(1);
                break;
            case 3:
                Clock.Pass(TimeSpan.FromMinutes(Chance.Below(180)));
                break;
            default:
                if (!thing.Dropped)
                    thing.Fall(1 + Chance.Below(2));
                break;
        }
    }

    private void Speak(string id)
    {
        var plan = new CaseHistory(Ledger.Of(id)).ReadPlan();
        switch (Chance.Below(6))
        {
            case 0:
                Say(id, Facts.Rejected);
                break;
            case 1:
                Say(id, Facts.Accepted, ("until", Clock.GetUtcNow().AddHours(1).ToString("o")));
                break;
            case 2:
                Say(id, Facts.Retried);
                break;
            default:
                if (plan is not null)
                    Say(id, Facts.Approved, ("plan", plan.Hash));
                break;
        }
    }

    private void Say(string id, string kind, params ReadOnlySpan<(string, string?)> data) =>
        Ledger.Write(new Fact(id, Server, kind, "a person", Facts.Data(data), Clock.GetUtcNow()));

    private Policy MakePolicy() => new()
    {
        Heal = Chance.Is(0.95),
        Consent = Chance.Is(0.95),
        Allow = Chance.Of(Grade.Lossless, Grade.Reversible, Grade.Lossy),
        MaxAttempts = 1 + Chance.Below(3),
        SnapshotBeforeRepair = Chance.Is(0.8),
        ByFault = Chance.Is(0.5) ? new Dictionary<string, PolicyChoice>()
            : new Dictionary<string, PolicyChoice> { [Chance.Of([.. Ailment.All]).Fault.Id] = Chance.Of(PolicyChoice.Auto, PolicyChoice.Approve, PolicyChoice.Never) },
        Budget = new RepairBudget { RowsPerCase = Chance.Of(1L, 5, 1000) },
        Limits = new SpendingLimits { CasesPerHour = Chance.Of(1L, 3, 20), RowsPerHour = Chance.Of(3L, 1000), BytesPerHour = Chance.Of(1000L, 5000, 1_000_000) },
        Windows = Chance.Is(0.8) ? [] : [new MaintenanceWindow(Enum.GetValues<DayOfWeek>().ToHashSet(), new TimeOnly(2, 0), new TimeOnly(5, 0), TimeZoneInfo.Utc)],
    };
}
