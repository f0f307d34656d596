using System.Data.Common;

namespace Kintsugi.Engine.Tests.Simulation;

/// <summary>Sessions that may be refused or lost. Nothing is asked of them in SQL: the simulated checks know the world itself.</summary>
internal sealed class SimulatedPatient(World world) : IPatientSource
{
    public Capabilities Server { get; } = new() { Major = 18, VersionNumber = 180000, Version = "18.0", SystemIdentifier = World.Server };
    public IReadOnlyList<string> Databases { get; } = ["app"];
    public IReadOnlyDictionary<string, string> Closed { get; } = new Dictionary<string, string>();

    public ValueTask<Patient> Open(string? database, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        world.Breathe();
        if (world.Chance.Accident())
            throw Lost("connection refused", away: true);
        return ValueTask.FromResult(new Patient(new Session(), null, Server));
    }

    public void Forget(string database)
    {
    }

    public ValueTask<bool> CrashedSince(CancellationToken cancellationToken) => ValueTask.FromResult(false);

    /// <param name="away">The server is not there: no statement brought that about.</param>
    public static PatientException Lost(string why, bool away = false) => new(away ? "57P01" : "08006", why) { ConnectionLost = true, ServerAway = away };

    private sealed class Session : IReadSession
    {
        private static InvalidOperationException Unasked => new("the simulated checks ask nothing in SQL");
        public string Database => "app";
        public int BackendPid => 1;

        public ValueTask<IReadOnlyList<T>> Rows<T>(
            string sql, Func<DbDataReader, T> read, CancellationToken cancellationToken, params object?[] parameters) => throw Unasked;

        public IAsyncEnumerable<T> Stream<T>(
            string sql, Func<DbDataReader, T> read, CancellationToken cancellationToken, params object?[] parameters) => throw Unasked;

        public ValueTask<T> InTransaction<T>(string settings, Func<IReadSession, ValueTask<T>> work, CancellationToken cancellationToken) =>
            throw Unasked;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>Looks at the things of one ailment; it may be kept from looking, be lost, or lie.</summary>
internal sealed class SimulatedCheck(World world, Ailment ailment) : ICheck
{
    public string Id => ailment.Check;
    public string Proves => "";
    public Layer Layer => ailment.Fault.Layer;
    public Depth Depth => Depth.Quick;
    public Needs Needs { get; } = new();
    public IReadOnlyList<FaultClass> Finds => [ailment.Fault];

    public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        if (world.Chance.Accident(0.5))
            throw SimulatedPatient.Lost("lost while the catalog was read");
        return ValueTask.FromResult<IReadOnlyList<Portion>>(
            [.. world.Things.Where(thing => thing.Ailment == ailment && !thing.Dropped).Select(thing => new Portion(thing.Target))]);
    }

    public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var thing = world.Thing(portion.Target.Name);
        world.Chance.MayDie();
        if (world.Chance.Accident(0.5))
            throw SimulatedPatient.Lost("the backend died while it looked");
        var verdict = world.Chance.Accident() ? world.Chance.Of<Verdict>(
            new Verdict.Unchecked("the lock was not had"), Verdict.Sound.Instance, new Verdict.Damaged(thing.Finding)) : thing.Sick.Count == 0
            ? Verdict.Sound.Instance : new Verdict.Damaged(thing.Finding);
        thing.LastVerdict = verdict;
        thing.WrittenSinceLook = false;
        return ValueTask.FromResult(verdict);
    }
}

/// <summary>Plans one step for each sick unit.</summary>
internal sealed class SimulatedRepair(World world, Ailment ailment) : IRepair
{
    public string Id => $"mend-{ailment.Check}";
    public string Does => "";
    public IReadOnlyList<FaultClass> Mends => [ailment.Fault];
    public Grade Grade => ailment.Grade;

    public ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (world.Chance.Accident(0.5))
            throw SimulatedPatient.Lost("shut down while planning", away: true);
        if (world.Chance.Accident(0.5))
            return ValueTask.FromResult<Proposal>(new Proposal.Refused("the ground is not proven", Final: true));
        var thing = world.Thing(healing.Target.Name);
        if (thing.Dropped || thing.Sick.Count == 0)
            return ValueTask.FromResult<Proposal>(new Proposal.Refused("nothing is left to mend"));
        var steps = thing.Sick.Select(unit => new Step(ailment.StepKind, $"mend {thing.Name} {unit}")
        {
            Database = "app", Lock = "Share", Why = "it is sick", Grade = ailment.Grade,
            Arguments = new Dictionary<string, string> { ["thing"] = thing.Name, ["unit"] = $"{unit}" },
        }).ToList();
        var rows = ailment.Grade == Grade.Lossless ? 0 : steps.Count;
        return ValueTask.FromResult<Proposal>(new Proposal.Planned(new Plan(Id, steps)
        {
            Case = healing.Id,
            Alters = [thing.Target],
            Snapshot = ailment.Snapshot,
            RowsQuarantined = ailment.Grade == Grade.Reversible ? rows : 0,
            RowsLost = ailment.Grade == Grade.Lossy ? rows : 0,
            TableRows = world.Chance.Of(0.0, 100, 100_000),
            DiskBytes = ailment.Check == "index" ? 1000 : 0,
            NeedsWindow = ailment.Check == "triggers",
            NeedsApproval = ailment.Check == "catalog" ? "catalogs are written by hand" : null,
        }));
    }
}
