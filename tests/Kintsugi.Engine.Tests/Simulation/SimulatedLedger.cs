namespace Kintsugi.Engine.Tests.Simulation;

/// <summary>The ledger and memory, durable as the real one: what was appended outlives every death, and a death may come before or after it.</summary>
internal sealed class SimulatedLedger(World world) : ILedger, IMemory
{
    private readonly Dictionary<string, List<Fact>> facts = [];
    private readonly Dictionary<string, Observation> observations = [];
    private readonly Dictionary<string, Sighting> sightings = [];

    public IReadOnlyList<Fact> Of(string id) => facts.TryGetValue(id, out var list) ? list : [];

    public IEnumerable<string> CaseIds => facts.Keys;

    public ValueTask Append(Fact fact, CancellationToken cancellationToken)
    {
        world.Chance.MayDie();
        Write(fact);
        world.Laws.Written(fact);
        world.Chance.MayDie();
        return ValueTask.CompletedTask;
    }

    public void Write(Fact fact)
    {
        if (!facts.TryGetValue(fact.Case, out var list))
            facts.Add(fact.Case, list = []);
        list.Add(fact with { Number = list.Count });
    }

    public ValueTask<IReadOnlyList<Fact>> FactsOf(string caseId, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Fact>>([.. Of(caseId)]);

    public ValueTask<IReadOnlyList<CaseRow>> Cases(string? server, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<CaseRow>>([.. facts.Select(pair => Row(pair.Key, pair.Value))]);

    /// <summary>The outcome of the last run, or that it is open since; what a person said is no end.</summary>
    public static string StateOf(IReadOnlyList<Fact> life) =>
        life.Last(fact => fact.Kind is not (Facts.Approved or Facts.Rejected or Facts.Retried or Facts.Accepted)) is { Kind: Facts.Ended } end
            ? Facts.Read(end.Data)["outcome"] : "open";

    private static CaseRow Row(string id, List<Fact> life) => new(
        id, World.Server, "app", "", "", "", StateOf(life), null, 0, null, life[0].At, life[^1].At);

    public ValueTask RecordProofs(string server, ScrubReport report, CancellationToken cancellationToken)
    {
        sightings.Clear();
        foreach (var finding in report.Findings)
            sightings[finding.Id] = new Sighting(finding.Id, finding.Fault.Id, "app", report.Started, report.Started, 1);
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyDictionary<string, Sighting>> Sightings(string server, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, Sighting>>(sightings);

    public ValueTask Observe(string server, IReadOnlyCollection<Observation> seen, CancellationToken cancellationToken)
    {
        foreach (var one in seen)
            observations[one.Scope + "/" + one.Key] = one;
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<Observation>> Observations(string server, string scope, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Observation>>([.. observations.Values.Where(one => one.Scope == scope)]);

    public ValueTask<IReadOnlyList<Proof>> Proofs(string server, CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<Proof>>([]);

    public ValueTask<IReadOnlyList<Fact>> Baseline(string server, CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<Fact>>([]);

    public ValueTask RecordCounters(string server, Counters counters, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask<IReadOnlyList<Counters>> CountersOf(string server, string database, int newest, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<Counters>>([]);
}
