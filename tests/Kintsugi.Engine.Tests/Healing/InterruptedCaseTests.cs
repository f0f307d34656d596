namespace Kintsugi.Engine.Tests.Healing;

/// <summary>A case that nobody ended is taken up again by the next run, and ends as what it is.</summary>
public sealed class InterruptedCaseTests
{
    [Fact]
    public void A_run_that_was_killed_left_no_ending() =>
        Assert.True(History((Facts.Found, []), (Facts.Confirmed, [("verdict", "damaged")])).Interrupted);

    [Fact]
    public void A_run_that_ended_is_not_taken_up_again()
    {
        var history = History(
            (Facts.Found, []), (Facts.Done, []), (Facts.Verified, [("verdict", "damaged")]), (Facts.Ended, [("outcome", "escalated")]));

        Assert.False(history.Interrupted);
        Assert.False(history.StepsDone);
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

    private static CaseHistory History(params (string Kind, (string, string?)[] Data)[] facts) =>
        new([.. facts.Select(fact => new Fact("case", "server", fact.Kind, fact.Kind, Facts.Data(fact.Data), DateTimeOffset.UnixEpoch))]);
}
