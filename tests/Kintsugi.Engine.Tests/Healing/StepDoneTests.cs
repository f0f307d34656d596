namespace Kintsugi.Engine.Tests.Healing;

/// <summary>What undo has to take back: also a step that was cut off in its middle may have written.</summary>
public sealed class StepDoneTests
{
    private static readonly Plan Two = new("mend-pages", [Step("a"), Step("b")]) { Case = "c", Alters = [], Snapshot = SnapshotGrade.Relation };

    [Fact]
    public void A_step_that_was_cut_off_and_cleaned_up_after_is_among_those_that_were_done() =>
        Assert.Equal(["a 1", "b 2"], Done(Planned, Intended(0, "1"), Of(Facts.Done), Intended(1, "2"), Of(Facts.Cleaned)));

    [Fact]
    public void A_step_that_was_only_intended_is_not() => Assert.Equal(["a 1"], Done(Planned, Intended(0, "1"), Of(Facts.Done), Intended(1, "2")));

    [Fact]
    public void The_same_step_of_two_attempts_comes_twice_each_with_what_was_remembered_before_it() => Assert.Equal(["a 1", "a 2"],
        Done(Planned, Intended(0, "1"), Of(Facts.Cleaned), Of(Facts.Failed), Planned, Intended(0, "2"), Of(Facts.Done)));

    [Fact]
    public void What_was_undone_is_not_undone_again() =>
        Assert.Equal(["b 2"], Done(Planned, Intended(0, "1"), Of(Facts.Done), Of(Facts.Undone), Planned, Intended(1, "2"), Of(Facts.Done)));

    private static IEnumerable<string> Done(params Fact[] facts) => StepDone.Of(facts).Select(done => $"{done.Step.Do} {done.Remembered["token"]}");

    private static Fact Planned => new("c", "s", Facts.Planned, "", PlanJson.Write(Two), DateTimeOffset.UnixEpoch);

    private static Fact Intended(int step, string token) => Of(Facts.Intended, ("step", $"{step}"), ("token", token));

    private static Fact Of(string kind, params ReadOnlySpan<(string, string?)> data) => new("c", "s", kind, "", Facts.Data(data), DateTimeOffset.UnixEpoch);

    private static Step Step(string name) => new("write-pages", name) { Lock = "AccessExclusive", Why = "" };
}
