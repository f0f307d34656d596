namespace Kintsugi.Engine.Tests.Checks;

/// <summary>What becomes of pieces that are looked at together: no server, only a check that says what it is told to say.</summary>
public sealed class CommonLookTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_common_look_leaves_out_is_examined_alone()
    {
        var check = new Pretended("index", Layer.Index, 250) { Alone = { [7] = new Verdict.Unchecked("it says no") } };
        var report = await Run(check);

        Assert.Equal([7u], check.Examined);
        Assert.Equal((249, 1), (report.Count<Verdict.Sound>(), report.Count<Verdict.Unchecked>()));
        Assert.All(check.Looks, look => Assert.InRange(look, 2, 100));
    }

    [Fact]
    public async Task An_error_of_the_common_look_proves_nothing()
    {
        var check = new Pretended("index", Layer.Index, 3) { Fails = new PatientException("XX002", "one of them") };
        var report = await Run(check);

        Assert.Equal([1u, 2u, 3u], check.Examined.Order());
        Assert.Equal(3, report.Count<Verdict.Sound>());
    }

    [Fact]
    public async Task After_a_crash_none_of_them_is_read_again_by_this_check_or_a_later_one()
    {
        var check = new Pretended("index", Layer.Index, 5) { Fails = new PatientException("57P02", "gone") { ConnectionLost = true } };
        var later = new Pretended("rows", Layer.Value, 5) { Relations = check.Relations };
        var report = await Run(check, later);

        Assert.Empty(check.Examined);
        Assert.Equal(10, report.Count<Verdict.Unchecked>());
        Assert.DoesNotContain(later.Looks, look => look > 0);
    }

    [Fact]
    public async Task What_an_earlier_look_has_put_in_doubt_is_not_mixed_with_the_others()
    {
        var relations = Pretended.Named(5);
        var below = new Pretended("files", Layer.Storage, 5) { Relations = relations, Alone = { [2] = new Verdict.Unchecked("unreadable") } };
        var check = new Pretended("index", Layer.Index, 5) { Relations = relations };
        await Run(below, check);

        Assert.Equal([4], check.Looks);
        Assert.Equal([2u], check.Examined);
    }

    private static async Task<ScrubReport> Run(params ICheck[] checks) =>
        await new Scrub(checks, new OneDatabase(), TimeProvider.System, null).Run(new ScrubSettings(), Stop);

    private sealed class Pretended(string id, Layer layer, uint pieces) : IBatchCheck
    {
        public IReadOnlyList<Relation> Relations { get; init; } = Named(pieces);
        public Dictionary<uint, Verdict> Alone { get; } = [];
        public PatientException? Fails { get; init; }
        public List<uint> Examined { get; } = [];
        public List<int> Looks { get; } = [];

        public string Id => id;
        public string Proves => "what the test says";
        public Layer Layer => layer;
        public Depth Depth => Depth.Quick;
        public Needs Needs { get; } = new() { Sql = false };
        public IReadOnlyList<FaultClass> Finds { get; } = [Faults.IndexCorrupt];

        public static IReadOnlyList<Relation> Named(uint count) =>
            [.. Enumerable.Range(1, (int)count).Select(n => new Relation { Oid = (uint)n, Schema = "public", Name = $"t{n}", Kind = 'r' })];

        public ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<Portion>>([.. Relations.Select(relation =>
                new Portion(relation.ToTarget("1", "app")) { Relation = relation, StandsOn = [relation.Oid] })]);

        public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
        {
            Examined.Add(portion.Relation!.Oid);
            return ValueTask.FromResult(Alone.GetValueOrDefault(portion.Relation.Oid, Verdict.Sound.Instance));
        }

        public ValueTask<IReadOnlyCollection<Portion>> Acquit(
            IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken)
        {
            Looks.Add(portions.Count);
            if (Fails is not null && portions.Count > 0)
                throw Fails;
            return ValueTask.FromResult<IReadOnlyCollection<Portion>>([.. portions.Where(portion => !Alone.ContainsKey(portion.Relation!.Oid))]);
        }
    }
}
