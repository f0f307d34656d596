namespace Kintsugi.Engine.Tests.Checks;

/// <summary>Which table comes when in a scrub with a time limit, and what an interrupted one leaves to the next.</summary>
public sealed class TurnsTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly Clock clock = new();
    private readonly Dictionary<(string Check, uint Oid), DateTimeOffset> proofs = [];
    private readonly Dictionary<string, DateTimeOffset> turns = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Windows_walk_through_all_tables_in_turns_each_through_every_layer()
    {
        for (var night = 0; night < 3; night++)
        {
            var (heap, index) = (new Slow("heap", Layer.Heap, clock), new Slow("index", Layer.Index, clock));
            var report = await Window(TimeSpan.FromMinutes(4), heap, index);

            // Each table takes two minutes, and only what fits into the window is begun.
            Assert.Equal([(uint)((night * 2) + 1), (uint)((night * 2) + 2)], heap.Examined);
            Assert.Equal(heap.Examined, index.Examined);
            Assert.True(report.TimeLimitReached);
            Keep(report);
        }
        // The fourth night has come round: what was proven first is proven again first.
        var again = new Slow("heap", Layer.Heap, clock);
        await Window(TimeSpan.FromMinutes(1), again);
        Assert.Equal([1u], again.Examined);
    }

    [Fact]
    public async Task A_table_that_cannot_be_proven_does_not_come_first_for_ever()
    {
        var locked = new Slow("heap", Layer.Heap, clock) { Unprovable = 1 };
        Keep(await Window(TimeSpan.FromMinutes(1), locked));
        var next = new Slow("heap", Layer.Heap, clock) { Unprovable = 1 };
        Keep(await Window(TimeSpan.FromMinutes(1), next));

        Assert.Equal([1u], locked.Examined);
        Assert.Equal([2u], next.Examined);
    }

    [Fact]
    public async Task What_stands_on_two_tables_waits_for_the_later_one()
    {
        var order = new List<string>();
        var heap = new Slow("heap", Layer.Heap, clock) { Order = order };
        var keys = new Slow("keys", Layer.Reference, clock) { Order = order, AlsoOn = 6, Count = 1 };
        await Window(TimeSpan.FromHours(1), heap, keys);

        Assert.Equal("keys 1", order[^1]);
        Assert.Contains("heap 6", order);
        Assert.Equal(7, order.Count);
    }

    [Fact]
    public async Task An_interrupted_scrub_goes_on_behind_what_it_had_proven()
    {
        var journal = new Remembered();
        using var stop = new CancellationTokenSource();
        var first = new Slow("heap", Layer.Heap, clock) { After = oid => { if (oid == 3) stop.Cancel(); } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Scrub(journal, first).Run(new ScrubSettings(), stop.Token));

        var second = new Slow("heap", Layer.Heap, clock);
        var report = await Scrub(journal, second).Run(new ScrubSettings(), Stop);

        Assert.Equal([4u, 5u, 6u], second.Examined);
        Assert.Equal((6, 3), (report.Count<Verdict.Sound>(), report.CountCarried(Carried.Resumed)));
    }

    [Fact]
    public async Task What_was_put_in_doubt_since_is_looked_at_again()
    {
        var journal = new Remembered();
        await Scrub(journal, new Slow("heap", Layer.Heap, clock)).Run(new ScrubSettings(), Stop);

        var storage = new Slow("storage", Layer.Storage, clock) { Unprovable = 2 };
        var heap = new Slow("heap", Layer.Heap, clock);
        await Scrub(journal, storage, heap).Run(new ScrubSettings(), Stop);

        Assert.Equal([2u], heap.Examined);
    }

    [Theory]
    [InlineData(false, new uint[] { 1, 2, 4, 5, 6 })]
    [InlineData(true, new uint[] { 1, 2, 3, 4, 5, 6 })]
    public async Task What_a_repair_has_just_proven_needs_no_look_unless_its_check_knows_more_faults_than_the_one(bool knowsMore, uint[] looked)
    {
        var check = new Slow("index", Layer.Index, clock) { Finds = knowsMore ? [Faults.IndexCorrupt, Faults.HeapCorrupt] : [Faults.IndexCorrupt] };
        var healing = Assert.Single(Diagnosis.Cases([new Finding(Faults.IndexCorrupt, Tables[2].ToTarget("1", "app"), "an entry is missing") { Check = "index" }]));
        var report = await Scrub(new JustProven(healing, new Registry([check], []), Start), check).Run(new ScrubSettings(), Stop);

        Assert.Equal(looked, check.Examined);
        Assert.Equal((6, 6 - looked.Length), (report.Count<Verdict.Sound>(), report.CountCarried(Carried.Repaired)));
    }

    private Scrub Scrub(IScrubJournal? journal, params ICheck[] checks) => new(checks, new Source(), clock, null) { Journal = journal };

    private async Task<ScrubReport> Window(TimeSpan limit, params ICheck[] checks) =>
        await new Scrub(checks, new Source(), clock, null) { History = await ScrubHistory.Read(new Past(proofs, turns), "1", Stop) }
            .Run(new ScrubSettings { TimeLimit = limit }, Stop);

    private void Keep(ScrubReport report)
    {
        foreach (var seen in report.Examinations.Where(seen => seen.Verdict is Verdict.Sound))
            proofs[(seen.Check, uint.Parse(seen.Target.Object![1..], System.Globalization.CultureInfo.InvariantCulture))] = report.Started;
        foreach (var (database, table) in report.Turns)
            turns[ScrubHistory.TurnKey(database, table)] = report.Started;
    }

    private static IReadOnlyList<Relation> Tables { get; } = [.. Enumerable.Range(1, 6).Select(n => new Relation
    {
        Oid = (uint)n, Schema = "public", Name = $"t{n}", Kind = 'r', TableOid = (uint)n, TableSchema = "public", TableName = $"t{n}",
    })];

    private sealed class Clock : TimeProvider
    {
        private DateTimeOffset now = Start;

        public override DateTimeOffset GetUtcNow() => now;

        public void Pass(TimeSpan time) => now += time;
    }

    private sealed class Source : IPatientSource
    {
        public Capabilities Server { get; } = new() { Major = 18, VersionNumber = 180000, Version = "18.0", SystemIdentifier = "1" };
        public IReadOnlyList<string> Databases { get; } = ["app"];
        public IReadOnlyDictionary<string, string> Closed { get; } = new Dictionary<string, string>();

        public ValueTask<Patient> Open(string? database, CancellationToken cancellationToken) =>
            ValueTask.FromResult(new Patient(null, null, Server) { Inventory = new Inventory("app", Tables) });

        public void Forget(string database)
        {
            // Nothing is kept.
        }

        public ValueTask<bool> CrashedSince(CancellationToken cancellationToken) => ValueTask.FromResult(false);
    }

    /// <summary>Takes a minute for each table.</summary>
    private sealed class Slow(string id, Layer layer, Clock clock) : ICheck
    {
        public List<uint> Examined { get; } = [];
        public List<string>? Order { get; init; }
        public Action<uint>? After { get; init; }
        public uint Unprovable { get; init; }
        public uint AlsoOn { get; init; }
        public int Count { get; init; } = 6;

        public string Id => id;
        public string Proves => "what the test says";
        public Layer Layer => layer;
        public Depth Depth => Depth.Quick;
        public Needs Needs { get; } = new() { Sql = false };
        public IReadOnlyList<FaultClass> Finds { get; init; } = [Faults.IndexCorrupt];

        public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<Portion>>([.. Tables.Take(Count).Select(relation => new Portion(relation.ToTarget("1", "app"))
            {
                Relation = relation, StandsOn = AlsoOn == 0 ? [relation.Oid] : [relation.Oid, AlsoOn], Weight = 4096,
            })]);

        public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
        {
            var oid = portion.Relation!.Oid;
            Examined.Add(oid);
            Order?.Add($"{id} {oid}");
            clock.Pass(TimeSpan.FromMinutes(1));
            After?.Invoke(oid);
            return ValueTask.FromResult<Verdict>(oid == Unprovable ? new Verdict.Unchecked("the lock was not had") : Verdict.Sound.Instance);
        }
    }

    private sealed class Remembered : IScrubJournal
    {
        private readonly Dictionary<(string, uint), DateTimeOffset> proven = [];

        public DateTimeOffset? ProvenAt(string check, Portion piece) => proven.TryGetValue((check, piece.Relation!.Oid), out var at) ? at : null;

        public void Enter(string check, Portion piece, DateTimeOffset at) => proven[(check, piece.Relation!.Oid)] = at;
    }

    private sealed class Past(Dictionary<(string Check, uint Oid), DateTimeOffset> proofs, Dictionary<string, DateTimeOffset> turns) : IMemory
    {
        public ValueTask<IReadOnlyList<Proof>> Proofs(string server, CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<Proof>>(
            [.. proofs.Select(proof => new Proof(server, "app", $"public.t{proof.Key.Oid}", proof.Key.Check, proof.Value, Depth.Standard))]);

        public ValueTask<IReadOnlyList<Observation>> Observations(string server, string scope, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<Observation>>(
                scope == ScrubHistory.Turns ? [.. turns.Select(turn => new Observation(scope, turn.Key, "", turn.Value))] : []);

        public ValueTask<IReadOnlyDictionary<string, Sighting>> Sightings(string server, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyDictionary<string, Sighting>>(new Dictionary<string, Sighting>());

        public ValueTask<IReadOnlyList<Fact>> Baseline(string server, CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyList<Fact>>([]);

        public ValueTask Observe(string server, IReadOnlyCollection<Observation> observations, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask RecordCounters(string server, Counters counters, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask<IReadOnlyList<Counters>> CountersOf(string server, string database, int newest, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<Counters>>([]);
    }
}
