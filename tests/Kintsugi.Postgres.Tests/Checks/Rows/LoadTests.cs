using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.Rules;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Checks.Rows;

/// <summary>A sound database that is written to all the while, in pgbench's own way and worse, accuses nobody.</summary>
public sealed class LoadTests(Servers servers)
{
    private const int Writers = 3;
    private const int Rounds = 4;

    /// <summary>pgbench's tables with the references that they lack, and every kind of rule beside them.</summary>
    private const string Bank = """
        CREATE TYPE state AS ENUM ('new', 'done');
        CREATE TABLE branches (bid int PRIMARY KEY, bbalance bigint NOT NULL DEFAULT 0);
        CREATE TABLE tellers (tid int PRIMARY KEY, bid int NOT NULL REFERENCES branches, tbalance bigint NOT NULL DEFAULT 0 CHECK (tbalance < 1000000000));
        CREATE TABLE accounts (aid int PRIMARY KEY, bid int NOT NULL REFERENCES branches, abalance bigint NOT NULL DEFAULT 0,
          doubled bigint GENERATED ALWAYS AS (abalance * 2) STORED, s state NOT NULL DEFAULT 'new', word text NOT NULL DEFAULT 'grün', doc jsonb NOT NULL DEFAULT '{"a": "x1"}');
        CREATE TABLE history (hid bigserial, tid int REFERENCES tellers DEFERRABLE INITIALLY DEFERRED, bid int, aid int REFERENCES accounts ON DELETE CASCADE,
          delta int, part int NOT NULL, PRIMARY KEY (hid, part)) PARTITION BY LIST (part);
        CREATE TABLE history_0 PARTITION OF history FOR VALUES IN (0); CREATE TABLE history_1 PARTITION OF history FOR VALUES IN (1);
        INSERT INTO branches SELECT generate_series(1, 3); INSERT INTO tellers SELECT i, 1 + i % 3 FROM generate_series(1, 30) i;
        INSERT INTO accounts SELECT i, 1 + i % 3 FROM generate_series(1, 3000) i;
        """;

    private static readonly ConsistencyRules Rules = new()
    {
        ForeignKeys = [new("told", new("public", "history"), ["bid"], new("public", "branches"), ["bid"], "bid is not null", new RowRepair.Report())],
        Enums = [new("words", new("public", "accounts"), "word", null, ["grün", "rot"], new RowRepair.Report(), null)],
        Json = [new("docs", new("public", "accounts"), "doc", """{"type": "object", "properties": {"a": {"type": "string", "pattern": "^x[0-9]+$"}}}""", false, new RowRepair.Report(), null)],
        Sql = [new("balances", new("public", "branches"), "select b.bid from public.branches b join public.tellers t on t.bid = b.bid group by b.bid, b.bbalance "
            + "having b.bbalance <> sum(t.tbalance)", Severity.Warning, new RowRepair.Report())],
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(TestMajors.Ends), MemberType = typeof(TestMajors))]
    public async Task No_rule_accuses_a_sound_database_under_load(int major)
    {
        await using var database = await servers.Database(major, Stop);
        await database.Execute(Bank, Stop);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var writers = Enumerable.Range(0, Writers).Select(number => Write(database, number, enough.Token)).ToList();
        await using var factory = new SessionFactory(_ => database.ConnectionString, new SessionLimits());

        for (var round = 0; round < Rounds; round++)
        {
            // In turn in one go and in the smallest pieces.
            var pace = new Pace(null, TimeProvider.System) { MostAtOnce = round % 2 == 0 ? long.MaxValue : 1 };
            var source = await PatientSource.Connect(factory, [database.Name], null, null, pace, Stop);
            Scrubbing.AssertSound(await new Scrub(RowChecks.All(Rules), source, TimeProvider.System, null).Run(new ScrubSettings { Jobs = 2 }, Stop));
        }

        await enough.CancelAsync();
        Assert.All(await Task.WhenAll(writers), transactions => Assert.True(transactions > 0, "a writer wrote nothing: there was no load"));
    }

    private static async Task<int> Write(TestDatabase database, int number, CancellationToken stop)
    {
        await using var connection = await database.Cluster.Connect(database.Name, CancellationToken.None);
        for (var i = 0; ; i++)
        {
            if (stop.IsCancellationRequested)
                return i;
            // Every writer its own tellers: they do not wait for each other there. New keys lie beyond all others.
            var (teller, account, delta, fresh) = (1 + (3 * (i % 10)) + number, 1 + (i * 7 % 3000), (i % 200) - 100, 1_000_000 + (number * 1_000_000) + i);
            await new NpgsqlCommand($"""
                BEGIN; UPDATE accounts SET abalance = abalance + {delta} WHERE aid = {account}; UPDATE tellers SET tbalance = tbalance + {delta} WHERE tid = {teller};
                UPDATE branches SET bbalance = bbalance + {delta} WHERE bid = (SELECT bid FROM tellers WHERE tid = {teller});
                INSERT INTO history (tid, bid, aid, delta, part) VALUES ({teller}, (SELECT bid FROM tellers WHERE tid = {teller}), {account}, {delta}, {i % 2}); COMMIT;
                BEGIN; INSERT INTO history (tid, delta, part) VALUES ({fresh}, 0, 0); INSERT INTO tellers VALUES ({fresh}, 1); COMMIT;
                BEGIN; DELETE FROM tellers WHERE tid = {fresh}; UPDATE history SET tid = NULL, part = 1 WHERE tid = {fresh}; COMMIT;
                BEGIN; INSERT INTO accounts (aid, bid) VALUES ({fresh}, 2); INSERT INTO history (aid, part) VALUES ({fresh}, 0); COMMIT;
                UPDATE accounts SET s = 'done', word = 'rot', doc = '{"{\"a\": \"x22\"}"}' WHERE aid = {fresh}; DELETE FROM accounts WHERE aid = {fresh};
                BEGIN; UPDATE accounts SET doc = '7', word = 'blau' WHERE aid = {account}; ROLLBACK;
                """, connection).ExecuteNonQueryAsync(CancellationToken.None);
        }
    }
}
