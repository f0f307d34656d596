namespace Kintsugi.Engine.Tests.Checks;

/// <summary>A look whose large pieces another node does too: no server, no ledger, only who is asked for what.</summary>
public sealed class SharedRoundTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_unit_is_examined_once_and_the_report_is_that_of_one_node()
    {
        var (own, others, alone) = (new Told("index", Layer.Index, 8), new Told("index", Layer.Index, 8), new Told("index", Layer.Index, 8));
        foreach (var check in new[] { own, others, alone })
            check.Says[3] = new Verdict.Damaged(new Finding(Faults.IndexCorrupt, check.Place(3), "a row is missing") { Key = "{}", SeverityOverride = Severity.Warning });
        await using var office = new Office(others);
        var shared = await Run(office, own);
        var one = await Run(null, alone);

        Assert.Equal(Enumerable.Range(1, 8), own.Examined.Concat(others.Examined).Order());
        Assert.Equal((4, 4), (own.Examined.Count, others.Examined.Count));
        Assert.Equal(Lines(one), Lines(shared));
        Assert.Equal(Severity.Warning, Assert.Single(shared.Findings).Severity);
    }

    [Fact]
    public async Task Only_what_is_large_and_stands_firmly_is_offered_layer_by_layer()
    {
        var files = new Told("files", Layer.Storage, 4) { Says = { [2] = new Verdict.Unchecked("unreadable") } };
        var indexes = new Told("index", Layer.Index, 4) { Small = 4 };
        await using var office = new Office(new Told("files", Layer.Storage, 4), new Told("index", Layer.Index, 4)) { Helps = false };
        var report = await Run(office, files, indexes);

        Assert.Equal(["files 1", "files 2", "files 3", "files 4", "index 1", "index 3"], office.Offered);
        Assert.Equal((6, 2), (report.Count<Verdict.Sound>(), report.Count<Verdict.Unchecked>()));
    }

    [Fact]
    public async Task What_another_node_could_not_examine_or_does_not_see_this_one_examines_itself()
    {
        var own = new Told("index", Layer.Index, 6);
        var others = new Told("index", Layer.Index, 4) { Says = { [1] = new Verdict.Unchecked("no privilege"), [2] = new Verdict.Unchecked("no privilege") } };
        await using var office = new Office(others);
        var report = await Run(office, own);

        Assert.Equal(6, report.Count<Verdict.Sound>());
        Assert.Contains(office.Refused, refused => refused is 1 or 2 or 5 or 6);
        Assert.All(office.Refused, refused => Assert.Contains(refused, own.Examined));
    }

    [Fact]
    public async Task After_a_crash_on_another_node_nothing_that_rests_on_it_is_offered_or_counts_as_proven()
    {
        var (storage, heap, later) = (new Told("a", Layer.Storage, 4), new Told("b", Layer.Heap, 4), new Told("c", Layer.Index, 4));
        await using var office = new Office(new Told("a", Layer.Storage, 4) { Crashes = true }, new Told("b", Layer.Heap, 4), new Told("c", Layer.Index, 4));
        var report = await Run(office, storage, heap, later);

        Assert.NotEmpty(office.Crashed);
        Assert.DoesNotContain(office.Offered, unit => unit[0] != 'a' && office.Crashed.Any(oid => unit.EndsWith($" {oid}", StringComparison.Ordinal)));
        Assert.Equal(office.Crashed.Count * 3, report.Count<Verdict.Unchecked>());
    }

    private static async Task<ScrubReport> Run(IUnitOffice? office, params ICheck[] checks) =>
        await new Scrub(checks, new OneDatabase(), TimeProvider.System, null) { Office = office }.Run(new ScrubSettings(), Stop);

    private static IEnumerable<string> Lines(ScrubReport report) => report.Examinations.Select(seen => $"{seen.Check} {seen.Target.Name} {seen.Verdict.Word} "
        + string.Join(',', ((seen.Verdict as Verdict.Damaged)?.Findings ?? []).Select(finding => $"{finding.Id} {finding.Check} {finding.Evidence} {finding.Key}"))).Order();

    /// <summary>Another node that takes a unit whenever this one asks for answers.</summary>
    private sealed class Office(params Told[] checks) : IUnitOffice, IAsyncDisposable
    {
        private readonly List<Unit> open = [];
        private readonly HashSet<string> own = [];
        private readonly Assistance helper = new(checks, new OneDatabase(), "app", Depth.Standard, TimeProvider.System);

        public bool Helps { get; init; } = true;
        public List<string> Offered { get; } = [];
        public List<int> Refused { get; } = [];
        public List<int> Crashed { get; } = [];

        public bool IsWorth(Portion piece) => piece.Weight >= 1000;

        public ValueTask Offer(IReadOnlyList<Unit> units, CancellationToken cancellationToken)
        {
            open.AddRange(units);
            Offered.AddRange(units.Select(unit => $"{unit.Check.Id} {unit.Piece.Relation!.Oid}"));
            return ValueTask.CompletedTask;
        }

        public ValueTask<string?> Take(CancellationToken cancellationToken)
        {
            var key = open.FirstOrDefault()?.Key;
            open.RemoveAll(unit => unit.Key == key);
            return ValueTask.FromResult(key);
        }

        public ValueTask Begin(string key, Patient patient, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask Answer(string key, UnitAnswer answer, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public async ValueTask<IReadOnlyDictionary<string, UnitAnswer>> Collect(Patient patient, CancellationToken cancellationToken)
        {
            if (!Helps || open.LastOrDefault(unit => !own.Contains(unit.Key)) is not { } unit)
                return new Dictionary<string, UnitAnswer>();
            var oid = (int)unit.Piece.Relation!.Oid;
            if (await helper.Examine(unit.Check.Id, unit.Key, DateTimeOffset.MaxValue, _ => ValueTask.CompletedTask, cancellationToken) is not { } answer)
            {
                own.Add(unit.Key);
                Refused.Add(oid);
                return new Dictionary<string, UnitAnswer>();
            }
            open.Remove(unit);
            if (answer.Crashed)
                Crashed.Add(oid);
            return new Dictionary<string, UnitAnswer> { [unit.Key] = UnitAnswerJson.Read(UnitAnswerJson.Write(answer)) };
        }

        public ValueTask<IReadOnlyList<string>> Withdraw(IReadOnlyList<string> keys, CancellationToken cancellationToken)
        {
            var mine = open.Select(unit => unit.Key).Where(keys.Contains).ToList();
            open.RemoveAll(unit => mine.Contains(unit.Key));
            return ValueTask.FromResult<IReadOnlyList<string>>(mine);
        }

        public ValueTask Rest(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => helper.DisposeAsync();
    }

    private sealed class Told(string id, Layer layer, int pieces) : ICheck
    {
        public Dictionary<uint, Verdict> Says { get; init; } = [];
        public uint Small { get; init; }
        public bool Crashes { get; init; }
        public List<int> Examined { get; } = [];

        public string Id => id;
        public string Proves => "what the test says";
        public Layer Layer => layer;
        public Depth Depth => Depth.Quick;
        public Needs Needs { get; } = new() { Sql = false };
        public IReadOnlyList<FaultClass> Finds { get; } = [Faults.IndexCorrupt];

        public Target Place(uint oid) => Table(oid).ToTarget("1", "app");

        public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<Portion>>([.. Enumerable.Range(1, pieces).Select(n => new Portion(Place((uint)n))
            {
                Relation = Table((uint)n), StandsOn = layer == Layer.Storage ? [] : [(uint)n], Weight = n == Small ? 10 : 10_000 - n,
            })]);

        public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
        {
            Examined.Add((int)portion.Relation!.Oid);
            return Crashes ? throw new PatientException("57P02", "gone") { ConnectionLost = true }
                : ValueTask.FromResult(Says.GetValueOrDefault(portion.Relation.Oid, Verdict.Sound.Instance));
        }

        private static Relation Table(uint oid) => new() { Oid = oid, Schema = "public", Name = $"t{oid}", Kind = 'r' };
    }
}
