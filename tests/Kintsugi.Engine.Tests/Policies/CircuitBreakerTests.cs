namespace Kintsugi.Engine.Tests.Policies;

/// <summary>Damage that looks as if it were still being done stops every repair; an accident does not.</summary>
public sealed class CircuitBreakerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly Dictionary<string, Sighting> Nothing = [];
    private static readonly BreakerLimits Limits = new();

    [Fact]
    public void One_torn_page_or_a_lost_index_stops_nothing()
    {
        Assert.Null(CircuitBreaker.Judge(Report([Page("movies", 1), Page("movies", 2), Page("genres", 9)]), Nothing, Limits));
        Assert.Null(CircuitBreaker.Judge(Report([.. Enumerable.Range(0, 50).Select(n => Index($"index_{n}"))]), Nothing, Limits));
    }

    [Fact]
    public void Damage_in_many_files_at_once_stops_everything()
    {
        var why = CircuitBreaker.Judge(Report([.. Enumerable.Range(0, 10).Select(n => Page($"table_{n}", 1))]), Nothing, Limits);

        Assert.Contains("10 new findings of damaged files in 10 objects", why, StringComparison.Ordinal);
        Assert.Contains("100 new findings", CircuitBreaker.Judge(Report([.. Enumerable.Range(0, 100).Select(n => Page("one", n))]), Nothing, Limits), StringComparison.Ordinal);
    }

    [Fact]
    public void Known_damage_that_stands_still_stops_nothing_and_damage_that_rises_does()
    {
        Finding[] old = [.. Enumerable.Range(0, 12).Select(n => Page($"table_{n}", 1))];
        var known = old.ToDictionary(finding => finding.Id, finding => new Sighting(finding.Id, finding.Fault.Id, "app", Now, Now, 3));

        Assert.Null(CircuitBreaker.Judge(Report(old), known, Limits));
        Assert.Null(CircuitBreaker.Judge(Report([.. old, Page("new", 1)]), known, Limits));
        Assert.Contains("rises from scrub to scrub: 3 new findings beside 12 known ones",
            CircuitBreaker.Judge(Report([.. old, Page("new", 1), Page("new", 2), Page("new", 3)]), known, Limits), StringComparison.Ordinal);
    }

    [Fact]
    public void A_disk_that_cannot_be_read_stops_everything_even_where_nothing_is_damaged()
    {
        var blind = new Examination("pages", Target("movies"),
            new Verdict.Unchecked("could not read blocks 7..7 in file \"base/5/16384\": Input/output error"), TimeSpan.Zero);

        Assert.Contains("Input/output error", CircuitBreaker.Judge(Report([], blind), Nothing, Limits), StringComparison.Ordinal);
        Assert.Contains("movies_pkey", CircuitBreaker.Judge(Report([Index("movies_pkey") with { SqlState = "58030" }]), Nothing, Limits), StringComparison.Ordinal);
    }

    [Fact]
    public void The_owner_says_how_much_is_too_much()
    {
        var report = Report([Page("movies", 1), Page("movies", 2), Page("genres", 9)]);

        Assert.Contains("in 2 objects", CircuitBreaker.Judge(report, Nothing, new BreakerLimits { NewObjects = 2 }), StringComparison.Ordinal);
        Assert.Contains("3 new findings", CircuitBreaker.Judge(report, Nothing, new BreakerLimits { NewFindings = 3 }), StringComparison.Ordinal);
        var known = new Dictionary<string, Sighting> { [Page("movies", 1).Id] = new("", "page-checksum", "app", Now, Now, 1) };
        Assert.Contains("rises", CircuitBreaker.Judge(report, known, new BreakerLimits { Rise = 2 }), StringComparison.Ordinal);
        Assert.Null(CircuitBreaker.Judge(report, known, Limits));
    }

    [Fact]
    public async Task Damage_that_rises_between_two_scrubs_is_seen_by_what_the_ledger_remembers()
    {
        using var folder = new State.StateFolder();
        await using var ledger = Kintsugi.State.SqliteLedger.Open(Path.Combine(folder.Path, "ledger.db"));
        var first = Report([Page("movies", 1), Page("movies", 2)]);

        Assert.Null(await Scrub(first));
        Assert.Null(await Scrub(Report([.. first.Findings, Page("movies", 3), Page("movies", 4)])));
        var why = await Scrub(Report([.. first.Findings, Page("movies", 5), Page("movies", 6), Page("movies", 7)]));

        Assert.Contains("rises from scrub to scrub", why, StringComparison.Ordinal);
        Assert.Equal(why, await CircuitBreaker.State(ledger, "s", Token));
        Assert.Equal(why, await Scrub(Report([])));
        await CircuitBreaker.TakeBack(ledger, "s", "ann", "the disk was changed", Now, Token);
        Assert.Null(await Scrub(Report([])));

        async Task<string?> Scrub(ScrubReport report)
        {
            var said = await CircuitBreaker.Watch(ledger, "s", report, Limits, Now, Token);
            await ledger.RecordProofs("s", report, Token);
            return said;
        }
    }

    [Theory]
    [InlineData("write block 3: could not write block 3: Input/output error (SQLSTATE 58030)", true)]
    [InlineData("REINDEX: could not fsync file (SQLSTATE 58030)", true)]
    [InlineData("REINDEX: could not create unique index (SQLSTATE 23505)", false)]
    public async Task A_repair_that_meets_a_failing_disk_stops_the_others(string reason, bool stops)
    {
        using var folder = new State.StateFolder();
        await using var ledger = Kintsugi.State.SqliteLedger.Open(Path.Combine(folder.Path, "ledger.db"));
        var healing = Assert.Single(Diagnosis.Cases([Index("movies_pkey")]));

        var said = await CircuitBreaker.Heed(ledger, "s", new CaseReport(healing, new Outcome.Escalated(reason)), Now, Token);

        Assert.Equal(stops, said is not null);
        Assert.Equal(said, await CircuitBreaker.State(ledger, "s", Token));
    }

    [Fact]
    public void No_approval_stands_against_it()
    {
        var finding = Index("movies_pkey");
        var healing = Assert.Single(Diagnosis.Cases([finding]));
        var plan = new Plan("reindex", [new Step("sql", "REINDEX") { Lock = "Share", Why = "" }])
        {
            Case = healing.Id, Alters = [finding.Target], Snapshot = SnapshotGrade.None,
        };
        var policy = new Policy { Consent = true };
        var word = new PersonsWord(plan.Hash);

        Assert.IsType<Judgement.Proceed>(Judge.Rule(healing, plan, policy, word, 0, Now));
        Assert.Equal("look at the disk",
            Assert.IsType<Judgement.Forbid>(Judge.Rule(healing, plan, policy with { Stopped = "look at the disk" }, word, 0, Now)).Reason);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Target Target(string name) => new()
    {
        Server = "s", Database = "app", Schema = "public", Relation = name, ObjectSchema = "public", Object = name, Kind = TargetKind.Table,
    };

    private static Finding Page(string table, int block) => new(Faults.PageChecksum, Target(table) with { Block = block }, "the sum is wrong");

    private static Finding Index(string name) => new(Faults.IndexCorrupt, Target(name), "entries are missing");

    private static ScrubReport Report(IReadOnlyList<Finding> findings, params Examination[] more) => new(Now, Now,
        [.. findings.Select(finding => new Examination("pages", finding.Target, new Verdict.Damaged(finding), TimeSpan.Zero)), .. more]);
}
