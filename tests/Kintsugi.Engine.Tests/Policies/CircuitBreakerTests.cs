namespace Kintsugi.Engine.Tests.Policies;

/// <summary>Damage that looks as if it were still being done stops every repair; an accident does not.</summary>
public sealed class CircuitBreakerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly Dictionary<string, Sighting> Nothing = [];

    [Fact]
    public void One_torn_page_or_a_lost_index_stops_nothing()
    {
        Assert.Null(CircuitBreaker.Judge(Report([Page("movies", 1), Page("movies", 2), Page("genres", 9)]), Nothing));
        Assert.Null(CircuitBreaker.Judge(Report([.. Enumerable.Range(0, 50).Select(n => Index($"index_{n}"))]), Nothing));
    }

    [Fact]
    public void Damage_in_many_files_at_once_stops_everything()
    {
        var why = CircuitBreaker.Judge(Report([.. Enumerable.Range(0, 10).Select(n => Page($"table_{n}", 1))]), Nothing);

        Assert.Contains("10 new findings of damaged files in 10 objects", why, StringComparison.Ordinal);
        Assert.Contains("100 new findings", CircuitBreaker.Judge(Report([.. Enumerable.Range(0, 100).Select(n => Page("one", n))]), Nothing), StringComparison.Ordinal);
    }

    [Fact]
    public void Known_damage_that_stands_still_stops_nothing_and_damage_that_rises_does()
    {
        Finding[] old = [.. Enumerable.Range(0, 12).Select(n => Page($"table_{n}", 1))];
        var known = old.ToDictionary(finding => finding.Id, finding => new Sighting(finding.Id, finding.Fault.Id, "app", Now, Now, 3));

        Assert.Null(CircuitBreaker.Judge(Report(old), known));
        Assert.Null(CircuitBreaker.Judge(Report([.. old, Page("new", 1)]), known));
        Assert.Contains("rises from scrub to scrub: 3 new findings beside 12 known ones",
            CircuitBreaker.Judge(Report([.. old, Page("new", 1), Page("new", 2), Page("new", 3)]), known), StringComparison.Ordinal);
    }

    [Fact]
    public void A_disk_that_cannot_be_read_stops_everything_even_where_nothing_is_damaged()
    {
        var blind = new Examination("pages", Target("movies"),
            new Verdict.Unchecked("could not read blocks 7..7 in file \"base/5/16384\": Input/output error"), TimeSpan.Zero);

        Assert.Contains("Input/output error", CircuitBreaker.Judge(Report([], blind), Nothing), StringComparison.Ordinal);
        Assert.Contains("movies_pkey", CircuitBreaker.Judge(Report([Index("movies_pkey") with { SqlState = "58030" }]), Nothing), StringComparison.Ordinal);
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

    private static Target Target(string name) => new()
    {
        Server = "s", Database = "app", Schema = "public", Relation = name, ObjectSchema = "public", Object = name, Kind = TargetKind.Table,
    };

    private static Finding Page(string table, int block) => new(Faults.PageChecksum, Target(table) with { Block = block }, "the sum is wrong");

    private static Finding Index(string name) => new(Faults.IndexCorrupt, Target(name), "entries are missing");

    private static ScrubReport Report(IReadOnlyList<Finding> findings, params Examination[] more) => new(Now, Now,
        [.. findings.Select(finding => new Examination("pages", finding.Target, new Verdict.Damaged(finding), TimeSpan.Zero)), .. more]);
}
