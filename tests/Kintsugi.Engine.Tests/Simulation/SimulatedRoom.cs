using System.Globalization;

namespace Kintsugi.Engine.Tests.Simulation;

/// <summary>The operating room: refused, lost, stalled, lied to, and killed in at every step.</summary>
internal sealed class SimulatedRoom(World world) : IOperatingRoom
{
    public ValueTask<IOperation> Enter(string database, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        world.Breathe();
        if (world.Chance.Accident())
            throw world.Chance.Of(
                new HealingException("another healer is at work", mayPass: true),
                new HealingException("this server is a standby", mayPass: false) { NotLetIn = true },
                new HealingException("the patient could not be entered", mayPass: true, SimulatedPatient.Lost("refused")));
        world.Laws.Require(!world.RoomIsTaken, "two healers are in the room");
        world.RoomIsTaken = true;
        return ValueTask.FromResult<IOperation>(new Operation(world));
    }

    private sealed class Operation(World world) : IOperation
    {
        public ValueTask<string?> Preflight(Plan plan, CancellationToken cancellationToken) =>
            ValueTask.FromResult(world.Chance.Accident(0.5) ? "a prepared transaction would be waited for" : null);

        public ValueTask<IReadOnlyDictionary<string, string>> Remember(Step step, CancellationToken cancellationToken)
        {
            world.Chance.MayDie();
            if (world.Chance.Accident(0.5))
                throw Refused("55P03", "looking around before the step");
            world.Laws.Require(world.Thing(step["thing"]).Debris.Count == 0, "something is begun while debris of an earlier step is there");
            return ValueTask.FromResult<IReadOnlyDictionary<string, string>>(
                new Dictionary<string, string> { ["token"] = (++world.Tokens).ToString(CultureInfo.InvariantCulture) });
        }

        public ValueTask<StepResult> Run(
            Plan plan, Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
        {
            world.Laws.MayRun(plan, step, remembered);
            var thing = world.Thing(step["thing"]);
            var unit = int.Parse(step["unit"], CultureInfo.InvariantCulture);
            world.Clock.Pass(TimeSpan.FromSeconds(world.Chance.Below(90)));
            world.Chance.MayDie();
            if (thing.Dropped)
                throw Refused("42P01", step.Do);
            if (world.Chance.Accident(2))
                return Mishap(thing, unit, step, remembered["token"], cancellationToken);
            return ValueTask.FromResult(Do(thing, unit, remembered["token"]));
        }

        private StepResult Do(SickThing thing, int unit, string token)
        {
            var moved = thing.Mend(unit);
            thing.Committed.Add(token);
            if (moved)
                world.Laws.Spent(thing);
            world.Chance.MayDie();
            return new StepResult { RowsQuarantined = moved ? 1 : 0 };
        }

        private ValueTask<StepResult> Mishap(SickThing thing, int unit, Step step, string token, CancellationToken cancellationToken)
        {
            switch (world.Chance.Below(8))
            {
                case 0:
                    throw Refused("55P03", step.Do);
                case 1:
                    throw Refused("23505", step.Do);
                case 2:
                    thing.Debris.Add(token);
                    throw Refused("40P01", step.Do);
                case 3:
                    thing.Debris.Add(token);
                    throw new SimulatedDeath();
                case 4:
                    // Done, and nobody told.
                    Do(thing, unit, token);
                    throw new HealingException(step.Do, mayPass: true, SimulatedPatient.Lost("lost at COMMIT"));
                case 5:
                    // It says that it did, and did not: a disk that lies.
                    return ValueTask.FromResult(new StepResult());
                case 6:
                    // A person presses Ctrl-C; the statement was cancelled half way.
                    world.Interrupt();
                    thing.Debris.Add(token);
                    cancellationToken.ThrowIfCancellationRequested();
                    throw new BrokenLaw("the token that a step gets is not the run's");
                default:
                    throw new HealingException("its own condition does not hold any more", mayPass: false);
            }
        }

        public ValueTask<string?> CleanUp(Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
        {
            world.Laws.MayCleanUp(step, remembered);
            world.Chance.MayDie();
            var thing = world.Thing(step["thing"]);
            if (world.Chance.Accident())
                throw Refused("55P03", "removing what was left");
            if (world.Chance.Accident(0.5))
            {
                // It stalls until somebody's patience ends; a run that is not being cancelled has no limit here and goes on.
                world.Clock.Pass(TimeSpan.FromMinutes(2));
                cancellationToken.ThrowIfCancellationRequested();
            }
            var token = remembered["token"];
            if (thing.Debris.Remove(token))
                return ValueTask.FromResult<string?>($"dropped {token}");
            return ValueTask.FromResult(thing.Committed.Contains(token) ? "nothing: this had been committed" : null);
        }

        public ValueTask DisposeAsync()
        {
            world.RoomIsTaken = false;
            return ValueTask.CompletedTask;
        }

        private static HealingException Refused(string code, string what) =>
            new($"{what}: refused ({code})", code is "55P03" or "40P01", new PatientException(code, "refused"));
    }
}

/// <summary>The shelf of snapshots, which may have no room.</summary>
internal sealed class SimulatedSnapshots(World world) : ISnapshots
{
    public ValueTask<string?> Take(HealingCase healing, Plan plan, Patient patient, CancellationToken cancellationToken)
    {
        world.Chance.MayDie();
        if (world.Chance.Accident())
            throw new HealingException("there is no room for the snapshot", world.Chance.Is(0.5));
        if (plan.Snapshot == SnapshotGrade.Rows)
            return ValueTask.FromResult<string?>(null);
        var id = $"snapshot-{world.Snapshots.Count}";
        world.Snapshots[id] = (plan.Hash, plan.Snapshot);
        world.Chance.MayDie();
        return ValueTask.FromResult<string?>(id);
    }
}
