using Kintsugi.Engine.Tests.State;

namespace Kintsugi.Engine.Tests.Policies;

/// <summary>What repairs took in a span of time, as the ledger tells it; what may have been taken counts as taken.</summary>
public sealed class SpendingTests : IDisposable
{
    private readonly StateFolder folder = new();
    private static readonly DateTimeOffset Now = StateFolder.Noon;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_case_that_is_judged_is_not_counted_again_but_what_it_took_before_is()
    {
        var own = Of([Planned(), Intended(0), Done(7)]);
        var others = Of("other", [Planned(), Intended(0), Done(5)]);

        Assert.Equal(new Spending(1, 12, 200), await Spent(except: "own", [.. own, .. others]));
    }

    [Fact]
    public async Task Each_attempt_of_a_case_writes_its_bytes_anew_and_each_step_does_not() => Assert.Equal(new Spending(1, 8, 200),
        await Spent("none", Of([Planned(), Intended(0), Done(4), Intended(1), Done(0), Planned(), Intended(0), Done(4)])));

    [Fact]
    public async Task A_step_that_was_cut_off_counts_with_all_its_plan_unless_its_clean_up_found_nothing_done()
    {
        Assert.Equal(40, (await Spent("none", Of([Planned(), Intended(0)]))).Rows);
        Assert.Equal(40, (await Spent("none", Of("b", [Planned(), Intended(0), (Facts.Cleaned, Facts.Data(("removed", "nothing: it was committed")))]))).Rows
            - 40);
        Assert.Equal(80, (await Spent("none", Of("c", [Planned(), Intended(0), (Facts.Cleaned, Facts.Data())]))).Rows);
    }

    [Fact]
    public async Task What_was_planned_and_never_begun_or_was_done_before_took_nothing()
    {
        var longAgo = Of("old", [Planned(), Intended(0), Done(9)]).Select(fact => fact with { At = Now.AddHours(-2) });

        Assert.Equal(new Spending(0, 0, 0), await Spent("none", [.. Of([Planned(), (Facts.Judged, Facts.Data())]), .. longAgo]));
    }

    private async Task<Spending> Spent(string except, IReadOnlyList<Fact> facts)
    {
        await using var ledger = folder.Open();
        foreach (var fact in facts)
            await ledger.Append(fact, Token);
        return Assert.Single(await Spending.Since(ledger, StateFolder.Server, except, [Now.AddHours(-1)], Token));
    }

    private static (string, string) Planned() => (Facts.Planned, PlanJson.Write(new Plan("a repair", [Step("a"), Step("b")])
    {
        Case = "own", Alters = [], Snapshot = SnapshotGrade.Rows, RowsQuarantined = 30, RowsChanged = 10, DiskBytes = 100,
    }));

    private static (string, string) Intended(int step) => (Facts.Intended, Facts.Data(("step", $"{step}")));

    private static (string, string) Done(int rows) => (Facts.Done, Facts.Data(("rows_quarantined", $"{rows}"), ("rows_changed", "0")));

    private static IReadOnlyList<Fact> Of(IReadOnlyList<(string Kind, string Data)> facts) => Of("own", facts);

    private static IReadOnlyList<Fact> Of(string id, IReadOnlyList<(string Kind, string Data)> facts) =>
        [StateFolder.Found(id, Now), .. facts.Select(fact => new Fact(id, StateFolder.Server, fact.Kind, "", fact.Data, Now))];

    private static Step Step(string name) => new("row-batch", name) { Lock = "RowExclusive", Why = "" };
}
