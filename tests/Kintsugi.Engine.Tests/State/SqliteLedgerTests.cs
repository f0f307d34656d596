using Kintsugi.State;
using Xunit;
using static Kintsugi.Engine.Tests.State.StateFolder;

namespace Kintsugi.Engine.Tests.State;

public sealed class SqliteLedgerTests : IDisposable
{
    private readonly StateFolder folder = new();
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Facts_come_back_in_order_and_whole_after_it_was_closed_and_opened()
    {
        await using (var ledger = folder.Open())
        {
            await ledger.Append(Found("a"), Token);
            await ledger.Append(Found("b"), Token);
            await ledger.Append(Of("a", Facts.Confirmed, ("verdict", "damaged")), Token);
        }

        await using var again = folder.Open();
        var facts = await again.FactsOf("a", Token);

        Assert.Equal([Facts.Found, Facts.Confirmed], facts.Select(fact => fact.Kind));
        Assert.Equal([1, 3], facts.Select(fact => fact.Number));
        Assert.Equal(Found("a"), facts[0] with { Number = 0 });
        Assert.Empty(await again.Verify(Token));
    }

    [Theory]
    [InlineData("open")]
    [InlineData("confirmed", Facts.Confirmed, "verdict", "damaged")]
    [InlineData("waiting", Facts.Ended, "outcome", "waiting")]
    [InlineData("healed", Facts.Ended, "outcome", "healed")]
    [InlineData("transient", Facts.Ended, "outcome", "transient")]
    [InlineData("escalated", Facts.Ended, "outcome", "escalated")]
    [InlineData("rejected", Facts.Rejected, "because", "not now")]
    [InlineData("undone", Facts.Undone, "reason", "asked for")]
    [InlineData("accepted", Facts.Accepted, "because", "known since 2019")]
    public async Task A_case_is_listed_in_the_state_in_which_its_facts_leave_it(string state, params string[] fact)
    {
        await using var ledger = folder.Open();
        await ledger.Append(Found("a"), Token);
        if (fact.Length > 0)
            await ledger.Append(Of("a", fact[0], (fact[1], fact[2])), Token);

        var row = Assert.Single(await ledger.Cases(Server, Token));

        Assert.Equal(state, row.State);
        Assert.Equal(("app", "public.we;ird\"name", "index-corrupt"), (row.Database, row.Object, row.Fault));
        Assert.Empty(await ledger.Cases("another server", Token));
    }

    [Fact]
    public async Task What_a_person_accepted_stays_accepted_when_it_is_found_again()
    {
        await using var ledger = folder.Open();
        await ledger.Append(Found("a"), Token);
        await ledger.Append(Of("a", Facts.Accepted, ("because", "known")), Token);
        await ledger.Append(Found("a", Noon.AddDays(1)), Token);
        await ledger.Append(Of("a", Facts.Ended, ("outcome", "escalated"), ("reason", "accepted as it is by a person")), Token);

        var row = Assert.Single(await ledger.Cases(null, Token));

        Assert.Equal(("accepted", "known"), (row.State, row.Reason));
        Assert.Equal(Facts.Accepted, Assert.Single(await ledger.Baseline(Server, Token)).Kind);
    }

    [Fact]
    public async Task An_acceptance_that_ran_out_does_not_hide_the_case()
    {
        await using var ledger = folder.Open();
        await ledger.Append(Found("a"), Token);
        await ledger.Append(Of("a", Facts.Accepted, ("because", "until the weekend"), ("until", "2026-11-24T00:00:00Z")), Token);
        await ledger.Append(Found("a", Noon.AddDays(2)), Token);
        await ledger.Append(Of("a", Facts.Confirmed, ("verdict", "damaged")), Token);
        await ledger.Append(Of("a", Facts.Ended, ("outcome", "waiting"), ("reason", "consent is missing")), Token);

        Assert.Equal("waiting", Assert.Single(await ledger.Cases(null, Token)).State);
    }

    [Fact]
    public async Task A_healed_case_that_comes_back_is_open_again_with_its_attempts_at_zero()
    {
        await using var ledger = folder.Open();
        await ledger.Append(Found("a"), Token);
        await ledger.Append(Of("a", Facts.SnapshotTaken, ("id", "snap-1")), Token);
        await ledger.Append(Of("a", Facts.Failed, ("reason", "lock not available")), Token);
        await ledger.Append(Of("a", Facts.Ended, ("outcome", "healed")), Token);
        Assert.Equal(("healed", 1), ((await ledger.Cases(null, Token))[0].State, (await ledger.Cases(null, Token))[0].Attempts));

        await ledger.Append(Found("a", Noon.AddDays(2)), Token);

        var row = Assert.Single(await ledger.Cases(null, Token));
        Assert.Equal(("open", 0, "snap-1", Noon), (row.State, row.Attempts, row.Snapshot, row.FirstSeen));
        Assert.Empty(await ledger.Verify(Token));
    }

    [Fact]
    public async Task The_newest_observation_of_a_key_is_kept_and_counters_have_a_history()
    {
        await using var ledger = folder.Open();
        await ledger.Observe(Server, [new("collation", "de_DE", "2.36", Noon), new("collation", "sv", "1", Noon)], Token);
        await ledger.Observe(Server, [new("collation", "de_DE", "2.41", Noon.AddDays(1))], Token);
        for (var day = 0; day < 40; day++)
            await ledger.RecordCounters(Server, new Counters("app", $"{{\"deadlocks\":{day}}}", Noon.AddDays(day)), Token);

        var seen = await ledger.Observations(Server, "collation", Token);
        var counters = await ledger.CountersOf(Server, "app", 100, Token);

        Assert.Equal([("de_DE", "2.41"), ("sv", "1")], seen.Select(observation => (observation.Key, observation.Value)));
        Assert.Equal("{\"deadlocks\":39}", counters[0].Json);
        Assert.Equal(31, counters.Count);
    }

    [Fact]
    public void Directory_and_files_are_readable_by_their_owner_alone()
    {
        using var ledger = folder.Open();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(folder.Path));
        Assert.All(Directory.GetFiles(folder.Path),
            file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        Assert.Contains(folder.State.Ledger, Directory.GetFiles(folder.Path));
    }
}
