using Kintsugi.State;
using Xunit;
using static Kintsugi.Engine.Tests.State.StateFolder;

namespace Kintsugi.Engine.Tests.State;

public sealed class SightingTests : IDisposable
{
    private static readonly Finding Orphans = new(Faults.RowOrphaned, Table("ratings", "ratings_movie_fkey"),
        "3 rows without a parent")
    {
        Check = "foreign-key",
    };

    private readonly StateFolder folder = new();
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_finding_that_stands_keeps_the_day_when_it_was_first_seen()
    {
        await using var ledger = folder.Open();
        await Scrub(ledger, 0, new Verdict.Damaged(Orphans));
        await Scrub(ledger, 1, new Verdict.Unchecked("lock timeout"));
        await Scrub(ledger, 2, new Verdict.Damaged(Orphans));

        var sighting = (await ledger.Sightings(Server, Token))[Orphans.Id];

        Assert.Equal((Noon, Noon.AddDays(2), 2), (sighting.FirstSeen, sighting.LastSeen, sighting.Scrubs));
    }

    [Fact]
    public async Task A_finding_that_was_acquitted_in_between_begins_anew()
    {
        await using var ledger = folder.Open();
        await Scrub(ledger, 0, new Verdict.Damaged(Orphans));
        await Scrub(ledger, 1, Verdict.Sound.Instance);
        Assert.Empty(await ledger.Sightings(Server, Token));
        await Scrub(ledger, 2, new Verdict.Damaged(Orphans));

        Assert.Equal(Noon.AddDays(2), (await ledger.Sightings(Server, Token))[Orphans.Id].FirstSeen);
    }

    [Fact]
    public async Task An_object_is_proven_only_when_every_portion_of_it_was_sound()
    {
        await using var ledger = folder.Open();
        var movies = Table("movies", null);
        await ledger.RecordProofs(Server, Report(0, ("heap", movies, Verdict.Sound.Instance),
            ("heap", movies, Verdict.Sound.Instance)), Token);
        await ledger.RecordProofs(Server, Report(1, ("heap", movies, Verdict.Sound.Instance),
            ("heap", movies, new Verdict.Unchecked("time over"))),
            Token);

        var proof = Assert.Single(await ledger.Proofs(Server, Token));

        Assert.Equal(new Proof(Server, "app", "public.movies", "heap", Noon, Depth.Deep), proof);
    }

    [Fact]
    public async Task What_no_scrub_has_spoken_of_for_more_than_a_year_is_forgotten_but_not_what_is_compared_with()
    {
        await using var ledger = folder.Open();
        await Scrub(ledger, 0, new Verdict.Damaged(Orphans));
        await ledger.RecordProofs(Server, Report(0, ("heap", Table("dropped", null), Verdict.Sound.Instance)), Token);
        await ledger.Observe(Server, [new Observation(ScrubHistory.Turns, "app dropped", "", Noon), new Observation("collation", "de", "an order", Noon)], Token);
        await ledger.RecordProofs(Server, Report(399, ("heap", Table("movies", null), Verdict.Sound.Instance)), Token);
        Assert.Equal(2, (await ledger.Proofs(Server, Token)).Count);

        await ledger.RecordProofs(Server, Report(401, ("heap", Table("movies", null), Verdict.Sound.Instance)), Token);

        Assert.Equal("public.movies", Assert.Single(await ledger.Proofs(Server, Token)).Object);
        Assert.Empty(await ledger.Sightings(Server, Token));
        Assert.Empty(await ledger.Observations(Server, ScrubHistory.Turns, Token));
        Assert.Single(await ledger.Observations(Server, "collation", Token));
    }

    private static Task Scrub(SqliteLedger ledger, int day, Verdict verdict) =>
        ledger.RecordProofs(Server, Report(day, ("foreign-key", Orphans.Target, verdict)), Token).AsTask();

    private static ScrubReport Report(int day, params (string Check, Target Target, Verdict Verdict)[] examinations) => new(
        Noon.AddDays(day), Noon.AddDays(day).AddMinutes(1),
        [.. examinations.Select(e => new Examination(e.Check, e.Target, e.Verdict, TimeSpan.Zero))])
    {
        Depth = Depth.Deep,
    };

    private static Target Table(string name, string? rule) => new()
    {
        Server = Server,
        Kind = TargetKind.Table,
        Database = "app",
        Schema = "public",
        Relation = name,
        Object = name,
        Rule = rule,
    };
}
