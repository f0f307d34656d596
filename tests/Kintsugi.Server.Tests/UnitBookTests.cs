using Kintsugi.Hosting;
using Kintsugi.Postgres;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;
using Kintsugi.State;

namespace Kintsugi.Server.Tests;

/// <summary>Who may take a unit, and whose answer counts: the book alone, in a real ledger.</summary>
public sealed class UnitBookTests(Servers servers)
{
    private const string Look = "db.index_check main ";
    private static readonly DateTimeOffset Noon = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static LookOffer Offer(string leader, string fingerprint = "same", int helpers = 1) =>
        new(Look, "main", leader, fingerprint, "ground", "Standard", null, helpers);

    private static IEnumerable<OfferedUnit> Units(int count) => Enumerable.Range(1, count).Select(n => new OfferedUnit($"p{n}", "btree", "app", 100 - n));

    [Fact]
    public async Task A_seat_is_given_once_and_an_answer_counts_once_and_only_from_the_hand_that_holds_the_unit()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        using var store = PostgresStore.Open(database.ConnectionString);
        var (book, b, c) = (new UnitBook(store), new UnitHelp(store, "b"), new UnitHelp(store, "c"));
        var fence = book.Begin(Offer("a"), Noon).Fence;
        book.Offer(Look, fence, Units(3));
        Assert.Empty(new UnitHelp(store, "a").Looks(Noon));
        var look = Assert.Single(b.Looks(Noon));
        var held = b.Take(look, Noon, Noon + Lease)!;
        Assert.Equal("p1", held.Piece);
        Assert.Null(c.Take(look, Noon, Noon + Lease));
        Assert.Empty(c.Looks(Noon));
        Assert.Equal("p2", book.Take(Look, fence, "a"));

        // Its node falls silent: the unit and the seat go to another one, with the session that may still be there.
        Assert.True(b.Begin(held, "17 then"));
        Assert.Empty(book.Silent(Look, fence, Noon + (Lease / 2)));
        Assert.Equal("17 then", Assert.Single(book.Silent(Look, fence, Noon + (2 * Lease))).Backend);
        var taken = c.Take(Assert.Single(c.Looks(Noon + (2 * Lease))), Noon + (2 * Lease), Noon + (3 * Lease))!;
        Assert.Equal(("p1", "17 then"), (taken.Piece, taken.Left));
        book.Free(Look, fence, "p1", Noon + (2 * Lease));
        Assert.False(b.Renew(held, Noon + (9 * Lease)));
        Assert.False(b.Answer(held, "too late", Noon));
        Assert.True(c.Answer(taken, "an answer", Noon));
        Assert.False(c.Answer(taken, "another one", Noon));
        Assert.Equal(("p1", "an answer"), Assert.Single(book.Collect(Look, fence)));
        Assert.Empty(book.Collect(Look, fence));

        // The seat of an answered unit goes to the next one of the same node, or is free.
        book.Offer(Look, fence, [new OfferedUnit("q1", "btree", "app", 5), new OfferedUnit("q2", "btree", "other", 7)]);
        var one = b.Take(Assert.Single(b.Looks(Noon)), Noon, Noon + Lease)!;
        Assert.Equal("p3", one.Piece);
        var two = b.Exchange(one, "of p3", Noon, Noon + Lease)!;
        Assert.Equal("q1", two.Piece);
        Assert.Empty(c.Looks(Noon));
        Assert.Null(b.Exchange(one, "again", Noon, Noon + Lease));
        Assert.Null(b.Exchange(two, "of q1", Noon, Noon + Lease));
        Assert.Equal(("p3", "of p3"), Assert.Single(book.Collect(Look, fence)));
        Assert.True(b.Answer(two, "of q1", Noon));
        Assert.Equal("q1", Assert.Single(book.Collect(Look, fence)).Piece);

        // What a node gives back to the leader no helper sees again.
        var last = b.Take(look, Noon, Noon + Lease)!;
        b.GiveBack(last, toLeader: true);
        Assert.Empty(b.Looks(Noon));
        Assert.Equal(last.Piece, book.Take(Look, fence, "a"));
        book.AnswerOwn(Look, fence, "p2", "own", Noon);
        book.AnswerOwn(Look, fence, last.Piece, "own", Noon);
        Assert.Equal(new Dictionary<string, long> { ["a"] = 2, ["b"] = 2, ["c"] = 1 }, book.Complete(Look, fence));
    }

    [Fact]
    public async Task Who_takes_a_look_over_keeps_its_answers_and_shuts_out_the_one_before_unless_the_question_is_another()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        using var store = PostgresStore.Open(database.ConnectionString);
        var (book, helper) = (new UnitBook(store), new UnitHelp(store, "c"));
        var first = book.Begin(Offer("a"), Noon).Fence;
        book.Offer(Look, first, Units(4));
        var before = Assert.Single(helper.Looks(Noon));
        Assert.True(helper.Answer(helper.Take(before, Noon, Noon + Lease)!, "kept", Noon));
        var held = helper.Take(before, Noon, Noon + Lease)!;
        Assert.True(helper.Begin(held, "18 then"));

        var over = book.Begin(Offer("b"), Noon.AddMinutes(1));
        Assert.Equal(("p1", "kept", Noon), Assert.Single(over.Answered));
        Assert.Equal("18 then", Assert.Single(over.Left).Backend);
        Assert.False(helper.Renew(held, Noon.AddHours(1)));
        Assert.False(helper.Answer(held, "for the look as it was", Noon));
        Assert.Throws<OvertakenException>(() => book.MustLead(Look, first));
        Assert.Throws<OvertakenException>(() => book.Offer(Look, first, Units(1)));
        Assert.Throws<OvertakenException>(() => book.Take(Look, first, "a"));
        Assert.Throws<OvertakenException>(() => book.Collect(Look, first));
        book.Offer(Look, over.Fence, Units(4).Skip(1));
        Assert.Null(helper.Take(before, Noon, Noon + Lease));
        Assert.Equal("p2", helper.Take(Assert.Single(helper.Looks(Noon)), Noon, Noon + Lease)!.Piece);

        // Cut short, the look leaves its answers and nothing to take.
        book.Close(Look, over.Fence);
        Assert.Empty(helper.Looks(Noon));
        Assert.Empty(book.Begin(Offer("b"), Noon.AddHours(13)).Answered);
        var again = book.Begin(Offer("b"), Noon).Fence;
        book.Offer(Look, again, Units(1));
        Assert.True(helper.Answer(helper.Take(Assert.Single(helper.Looks(Noon)), Noon, Noon + Lease)!, "of another question", Noon));
        Assert.Empty(book.Begin(Offer("b", "other"), Noon).Answered);
    }

    [Fact]
    public void Another_rule_or_configuration_is_another_fingerprint()
    {
        var rule = new SqlRule("r", new ObjectName("public", "movies"), "select id from public.movies where false", Severity.Warning, new RowRepair.Report());
        var rules = new ConsistencyRules { Sql = [rule] };
        var changed = new ConsistencyRules { Sql = [rule with { Query = "select id from public.movies" }] };
        var own = PostgresRegistry.Create();
        string[] all =
        [
            Likeness.Fingerprint(own, rules, "1"), Likeness.Fingerprint(own, changed, "1"), Likeness.Fingerprint(own, rules, "2"),
            Likeness.Fingerprint(new Registry([.. own.Checks.Skip(1)], own.Repairs), rules, "1"),
        ];
        Assert.Equal(4, all.Distinct().Count());
        Assert.Equal(all[0], Likeness.Fingerprint(PostgresRegistry.Create(), rules, "1"));
    }
}
