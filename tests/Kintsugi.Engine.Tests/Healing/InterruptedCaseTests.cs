namespace Kintsugi.Engine.Tests.Healing;

/// <summary>A case that nobody ended is taken up again by the next run, and ends as what it is.</summary>
public sealed class InterruptedCaseTests
{
    [Fact]
    public void A_run_that_was_killed_left_no_ending() =>
        Assert.True(History((Facts.Found, []), (Facts.Confirmed, [("verdict", "damaged")])).Interrupted);

    [Fact]
    public void A_repair_that_was_only_kept_from_working_may_be_tried_as_often_as_before()
    {
        var history = History(
            (Facts.Found, []), (Facts.Failed, [("reason", "lock not available"), (Facts.KeptOut, "true")]), (Facts.Failed, [("reason", "server lost")]));

        Assert.Equal(1, history.Attempts);
    }

    [Theory, InlineData("55P03", true), InlineData("40P01", true), InlineData("57014", false), InlineData(null, false)]
    public void A_held_lock_says_nothing_against_a_repair_and_a_lost_server_may(string? code, bool keptOut)
    {
        var failure = new HealingException("a step", mayPass: true, new PatientException(code, "refused"));

        Assert.Equal(keptOut, failure.WasKeptOut);
        Assert.Equal(keptOut, new HealingException("and its leftovers", mayPass: true, failure) { LeavesDebris = true }.WasKeptOut);
        Assert.True(new HealingException("another healer is at work", mayPass: true).WasKeptOut);
        Assert.False(new HealingException("the rows still break the rule", mayPass: false).WasKeptOut);
    }

    [Fact]
    public void A_run_that_ended_is_not_taken_up_again()
    {
        var history = History(
            (Facts.Found, []), (Facts.Done, []), (Facts.Verified, [("verdict", "damaged")]), (Facts.Ended, [("outcome", "escalated")]));

        Assert.False(history.Interrupted);
        Assert.False(history.StepsDone);
    }

    [Fact]
    public void A_run_that_had_to_leave_something_behind_is_taken_up_again_until_that_is_removed()
    {
        (string, (string, string?)[])[] left = [(Facts.Found, []), (Facts.Done, []), (Facts.Intended, [("step", "1")]), (Facts.Failed, []),
            (Facts.Ended, [("outcome", "waiting")])];

        Assert.True(History(left).Interrupted);
        Assert.True(History(left).StepsDone);
        Assert.False(History([.. left, (Facts.Found, []), (Facts.Cleaned, []), (Facts.Ended, [("outcome", "healed")])]).Interrupted);
    }

    [Fact]
    public void A_repair_that_could_not_be_proven_is_looked_at_again()
    {
        var history = History(
            (Facts.Found, []), (Facts.Done, []), (Facts.Verified, [("verdict", "unchecked")]), (Facts.Ended, [("outcome", "escalated")]));

        Assert.True(history.Interrupted);
        Assert.True(history.StepsDone);
    }

    [Fact]
    public void A_repair_that_was_proven_later_is_at_its_end()
    {
        var history = History(
            (Facts.Found, []), (Facts.Done, []), (Facts.Verified, [("verdict", "unchecked")]), (Facts.Ended, [("outcome", "escalated")]),
            (Facts.Found, []), (Facts.Confirmed, [("verdict", "sound")]), (Facts.Ended, [("outcome", "healed")]));

        Assert.False(history.Interrupted);
        Assert.False(history.StepsDone);
    }

    [Fact]
    public void A_repair_that_nobody_looked_at_is_open_whatever_ended_the_next_run()
    {
        (string, (string, string?)[])[] unseen = [(Facts.Found, []), (Facts.Done, []), (Facts.Accepted, [("until", "2026-01-01T00:00:00Z")]),
            (Facts.Found, []), (Facts.Ended, [("outcome", "escalated")])];

        Assert.True(History(unseen) is { StepsDone: true, Interrupted: true });
        Assert.False(History([.. unseen, (Facts.Confirmed, [("verdict", "damaged")]), (Facts.Ended, [("outcome", "escalated")])]).StepsDone);
        Assert.False(History([.. unseen, (Facts.Ended, [("outcome", "healed")])]) is { StepsDone: true } or { Interrupted: true });
    }

    private static CaseHistory History(params (string Kind, (string, string?)[] Data)[] facts) =>
        new([.. facts.Select(fact => new Fact("case", "server", fact.Kind, fact.Kind, Facts.Data(fact.Data), DateTimeOffset.UnixEpoch))]);
}
