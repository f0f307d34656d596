namespace Kintsugi.Engine.Tests.Simulation;

/// <summary>One run of the command line: what a killed run left, then scrub and repair in rounds. Everything is made anew, as a new process would.</summary>
internal sealed class SimulatedRun(World world)
{
    /// <summary>A patient of five objects has to be able to trip it.</summary>
    private static readonly BreakerLimits Breaker = new() { NewObjects = 2, NewFindings = 2, Rise = 1 };

    private readonly List<CaseReport> treated = [];

    public async ValueTask Go()
    {
        var patient = new SimulatedPatient(world);
        var registry = new Registry([.. Ailment.All.Select(ailment => new SimulatedCheck(world, ailment))],
            [.. Ailment.All.Select(ailment => new SimulatedRepair(world, ailment))]);
        var stopped = await CircuitBreaker.State(world.Ledger, World.Server, world.Stop);
        foreach (var row in stopped is null ? await world.Ledger.Cases(World.Server, world.Stop) : [])
        {
            var history = new CaseHistory(await world.Ledger.FactsOf(row.Id, world.Stop));
            if (row.State is not ("healed" or "transient") && history.Interrupted && history.ReadCase(row.Id) is { } unfinished)
                await Heal(registry, patient, unfinished, null);
        }
        for (var round = 0; round < 3; round++)
        {
            if (await Scrub(registry, patient) is not { } report)
                return;
            stopped = await CircuitBreaker.Watch(world.Ledger, World.Server, report, Breaker, world.Clock.GetUtcNow(), world.Stop);
            world.Tripped = stopped is not null;
            world.Laws.Count["trips"] += world.Tripped ? 1 : 0;
            await world.Ledger.RecordProofs(World.Server, report, world.Stop);
            var open = Diagnosis.Cases(report.Findings).Where(found => treated.All(done => done.Case.Id != found.Id)).ToList();
            foreach (var found in open)
                await Heal(registry, patient, found, stopped);
            if (open.Count > 0)
                continue;
            await CloseWhatIsGone(registry, patient, report, stopped);
            break;
        }
    }

    /// <returns>Null when the patient could not be reached: the run says so and ends.</returns>
    private async ValueTask<ScrubReport?> Scrub(Registry registry, SimulatedPatient patient)
    {
        try
        {
            return await new Scrub(registry.Checks, patient, world.Clock, null).Run(new ScrubSettings(), world.Stop);
        }
        catch (PatientException lost) when (lost.ConnectionLost)
        {
            return null;
        }
    }

    /// <summary>An open case whose place was proven sound is looked at once more, which closes it.</summary>
    private async ValueTask CloseWhatIsGone(Registry registry, SimulatedPatient patient, ScrubReport report, string? stopped)
    {
        var found = Diagnosis.Cases(report.Findings).Select(healing => healing.Id).ToHashSet();
        foreach (var row in await world.Ledger.Cases(World.Server, world.Stop))
            if (row.State is not ("healed" or "transient") && !found.Contains(row.Id) && treated.All(done => done.Case.Id != row.Id)
                && new CaseHistory(await world.Ledger.FactsOf(row.Id, world.Stop)).ReadCase(row.Id) is { } gone)
                await Heal(registry, patient, gone, stopped);
    }

    private async ValueTask Heal(Registry registry, SimulatedPatient patient, HealingCase healing, string? stopped)
    {
        var healer = new Healer(new Planner(registry, patient), patient, new Examiner(registry, patient, Depth.Quick), new SimulatedRoom(world),
            new SimulatedSnapshots(world), world.Ledger, world.Policy with { Stopped = stopped }, world.Clock)
        {
            Proven = (report, _) =>
            {
                world.Proven.Add(report.Case.Id);
                return ValueTask.CompletedTask;
            },
        };
        world.Proven.Remove(healing.Id);
        treated.Add(await healer.Heal(healing, world.Stop));
        world.Laws.Returned([treated[^1]]);
    }
}
