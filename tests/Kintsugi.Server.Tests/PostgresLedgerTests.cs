using Kintsugi.Lab;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Server.Tests;

/// <summary>The ledger of several nodes: the same facts, chain and listing as in a file, and one of it however many make it at once.</summary>
public sealed class PostgresLedgerTests(Servers servers)
{
    private static readonly DateTimeOffset Day = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nodes_that_make_it_at_once_make_one_and_their_facts_form_one_chain()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        var ledgers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => PostgresLedger.Open(database.ConnectionString), Stop)));
        await Task.WhenAll(ledgers.Select((ledger, node) => Task.Run(async () =>
        {
            for (var number = 0; number < 20; number++)
                await ledger.Append(Found($"case-{node}", Day.AddTicks(number)), Stop);
        }, Stop)));

        Assert.Empty(await ledgers[0].Verify(Stop));
        Assert.Equal(120, await database.Scalar<long>("SELECT max(number) FROM kintsugi_state.facts", Stop));
        Assert.Equal(6, (await ledgers[5].Cases("server", Stop)).Count);
        var facts = await ledgers[3].FactsOf("case-3", Stop);
        Assert.Equal(Enumerable.Range(0, 20).Select(number => Day.AddTicks(number)), facts.Select(fact => fact.At));
        await MustBeAppendOnly(database);

        await database.Execute("ALTER TABLE kintsugi_state.facts DISABLE TRIGGER ALL; UPDATE kintsugi_state.facts SET summary = 'another' WHERE number = 7", Stop);
        Assert.Contains("fact 7 ", Assert.Single(await ledgers[0].Verify(Stop)), StringComparison.Ordinal);
        foreach (var ledger in ledgers)
            await ledger.DisposeAsync();
    }

    private static async Task MustBeAppendOnly(TestDatabase database)
    {
        foreach (var attempt in new[] { "UPDATE kintsugi_state.facts SET summary = ''", "DELETE FROM kintsugi_state.facts", "TRUNCATE kintsugi_state.facts" })
            Assert.Contains("append-only", (await Assert.ThrowsAnyAsync<Exception>(() => database.Execute(attempt, Stop))).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_scrubs_saw_is_kept_as_in_a_file()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await using var ledger = PostgresLedger.Open(database.ConnectionString);
        var target = new Target { Server = "server", Database = "app", Schema = "public", Relation = "movies", Object = "movies_pkey", Kind = TargetKind.Index };
        var finding = new Finding(Faults.IndexCorrupt, target, "a row is missing") { Check = "btree" };
        await ledger.RecordProofs("server", Report(0, target, new Verdict.Sound()), Stop);
        await ledger.RecordProofs("server", Report(1, target, new Verdict.Damaged([finding])), Stop);
        await ledger.RecordProofs("server", Report(2, target, new Verdict.Damaged([finding])), Stop);
        Assert.Equal(Day, Assert.Single(await ledger.Proofs("server", Stop)).At);
        var sighting = Assert.Single(await ledger.Sightings("server", Stop)).Value;
        Assert.Equal((Day.AddDays(1), Day.AddDays(2), 2), (sighting.FirstSeen, sighting.LastSeen, sighting.Scrubs));
        await ledger.RecordProofs("server", Report(3, target, new Verdict.Sound()), Stop);
        Assert.Empty(await ledger.Sightings("server", Stop));

        await ledger.Observe("server", [new Observation("scope", "key", "one", Day), new Observation("scope", "key", "two", Day)], Stop);
        Assert.Equal("two", Assert.Single(await ledger.Observations("server", "scope", Stop)).Value);
        await ledger.RecordCounters("server", new Counters("app", "{}", Day), Stop);
        Assert.Single(await ledger.CountersOf("server", "app", 5, Stop));
    }

    [Fact]
    public async Task A_newer_ledger_a_standby_and_one_that_is_away_are_refused_in_one_sentence_and_a_lost_connection_is_replaced()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        await using (var ledger = PostgresLedger.Open(database.ConnectionString))
        {
            await ledger.Append(Found("case", Day), Stop);
            await database.Execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kintsugi ledger' AND datname = current_database()", Stop);
            await ledger.Append(Found("case", Day.AddDays(1)), Stop);
            Assert.Equal(2, (await ledger.FactsOf("case", Stop)).Count);
        }
        await database.Execute("UPDATE kintsugi_state.versions SET number = 99 WHERE name = 'schema'", Stop);
        Assert.Contains("was written by a newer Kintsugi (schema 99", Refusal(database.ConnectionString), StringComparison.Ordinal);

        var away = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Host = "127.0.0.1", Port = WebhookReceiver.FreePort(), Password = "s3cret" };
        var refusal = Refusal(away.ConnectionString);
        Assert.Contains("cannot be reached", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lease_is_held_by_one_follows_its_holder_and_its_number_rises()
    {
        await using var database = await servers.Database(TestMajors.Newest, Stop);
        using var store = PostgresStore.Open(database.ConnectionString);
        var nodes = new NodeBook(store);
        var first = nodes.Hold("patient", "a", Day, Day.AddSeconds(10));
        Assert.NotNull(first);
        Assert.Equal(first, nodes.Hold("patient", "a", Day.AddSeconds(5), Day.AddSeconds(15)));
        Assert.Null(nodes.Hold("patient", "b", Day.AddSeconds(9), Day.AddSeconds(19)));
        nodes.Renew("a", Day.AddSeconds(14), Day.AddSeconds(24));
        Assert.Null(nodes.Hold("patient", "b", Day.AddSeconds(20), Day.AddSeconds(30)));
        var second = nodes.Hold("patient", "b", Day.AddSeconds(24), Day.AddSeconds(34));
        Assert.Equal(first + 1, second);
        Assert.False(nodes.IsHeld("patient", first!.Value));
        nodes.Renew("a", Day.AddSeconds(25), Day.AddSeconds(99));
        Assert.Null(nodes.Hold("patient", "a", Day.AddSeconds(26), Day.AddSeconds(36)));
    }

    private static string Refusal(string connection) => Assert.Throws<StateException>(() => PostgresLedger.Open(connection)).Message;

    private static ScrubReport Report(int day, Target target, Verdict verdict) =>
        new(Day.AddDays(day), Day.AddDays(day), [new Examination("btree", target, verdict, TimeSpan.Zero)]);

    private static Fact Found(string id, DateTimeOffset at) =>
        new(id, "server", Facts.Found, "it is broken", Facts.Data(("fault", "index-corrupt"), ("object", "public.movies_pkey")), at);
}
