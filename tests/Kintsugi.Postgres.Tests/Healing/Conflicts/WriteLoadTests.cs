using Kintsugi.Postgres.Tests.Fixtures;
using Kintsugi.State;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Healing.Conflicts;

/// <summary>
/// Applications write while a case is healed. Each writer knows what every row that it wrote must hold: no statement fails, no update is lost, and the
/// table is healed all the same.
/// </summary>
public sealed class WriteLoadTests(Servers servers) : IDisposable
{
    private const int Writers = 3, Before = 15, After = 15;

    private readonly string state = Directory.CreateTempSubdirectory("kintsugi-load-").FullName;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(state, recursive: true);

    /// <summary>The mechanism, the first and the last row that the writers change, and what else they do in the same transaction.</summary>
    private static readonly Dictionary<string, (int First, int Last, string Along)> Loads = new()
    {
        ["rebuild-index"] = (1, 3000, "UPDATE ward SET body = md5($1::text || n) WHERE id = $1"),
        // What lies on the damaged page nobody can read before it is mended.
        ["write-pages"] = (300, 3000, "UPDATE ward SET body = md5($1::text || n) WHERE id = $1"),
        ["refresh-version"] = (1, 1000, "UPDATE ward SET body = md5($1::text || n) WHERE id = $1"),
        ["quarantine-orphans"] = (1, 9, "WITH one AS (INSERT INTO bed VALUES (100000 + $1) ON CONFLICT DO NOTHING) UPDATE ward SET bed = 1 + (n % 9)::integer WHERE id = $1"),
        ["visibility-map"] = (1, 3000, "UPDATE ward SET body = md5($1::text || n) WHERE id = $1"),
    };

    private static bool All { get; } = Environment.GetEnvironmentVariable("KINTSUGI_TEST_ALL") == "1";

    public static TheoryData<string, int> Matrix()
    {
        var data = new TheoryData<string, int>();
        foreach (var name in Loads.Keys)
            foreach (var major in All ? TestMajors.All : [TestMajors.Newest])
                data.Add(name, major.Data);
        return data;
    }

    [Theory, MemberData(nameof(Matrix))]
    public async Task No_writer_notices_that_its_table_is_healed_and_no_update_is_lost(string name, int major)
    {
        // On a shared server the checkpoint of another test may write the page over from shared buffers: then nothing is left to heal.
        await using var database = name == "write-pages" ? await servers.Cluster(major, Token) : await servers.Database(major, Token);
        var mechanism = Mechanism.Named(name);
        await database.Execute(mechanism.Prepare, Token);
        await database.Execute("ALTER TABLE ward ADD n bigint NOT NULL DEFAULT 0", Token);
        // Whoever reads first sets hint bits, and a page that they made dirty is written over the damage: before, not after.
        await database.Execute("SELECT count(*) FROM ward", Token);
        foreach (var statement in mechanism.Injure.Split(";;"))
            await database.Execute(statement, Token);
        Assert.True(await database.Scalar<bool>(mechanism.Took, Token));
        var treatment = KillWard.Treat(mechanism, database.ConnectionString, database.Cluster.DataDirectory, state);
        StateDirectory.Open(state);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var writers = Enumerable.Range(0, Writers).Select(number => new Writer(database, Loads[name], number)).ToList();
        var work = writers.Select(writer => writer.Work(enough.Token)).ToList();

        await Progress(writers, work, Before);
        var cases = await treatment.Run(Token);
        await Progress(writers, work, After);
        await enough.CancelAsync();
        await Task.WhenAll(work);

        Assert.Contains(cases, done => done.Outcome is Outcome.Healed);
        Assert.All(cases, done => Assert.True(done.Outcome is Outcome.Healed or Outcome.Transient, $"{done.Case.Cause}: {done.Outcome.Word} {done.Outcome.Why}"));
        Assert.Empty((await treatment.Look(Token)).Findings);
        foreach (var row in await database.Query("SELECT id, n FROM ward WHERE n > 0", Token))
            Assert.Equal(writers[(int)row[0]! % Writers].Written[(int)row[0]!], (long)row[1]!);
        Assert.Equal(writers.Sum(writer => (long)writer.Written.Count), await database.Scalar<long>("SELECT count(*) FROM ward WHERE n > 0", Token));
        Assert.Equal(0L, await database.Scalar<long>("SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)[0-9]*$'", Token));
        TestContext.Current.TestOutputHelper?.WriteLine($"{name} on {major}: {writers.Sum(writer => writer.Transactions)} transactions");
    }

    /// <summary>Every writer has committed that many more, or one has failed.</summary>
    private static async Task Progress(List<Writer> writers, List<Task> work, int transactions)
    {
        var reached = Task.WhenAll(writers.Select(writer => writer.Reach(transactions)));
        var first = await Task.WhenAny([reached, .. work]);
        await first;
        Assert.Same(reached, first);
    }

    /// <summary>Rows whose number leaves its own remainder are its own; nobody else writes them.</summary>
    private sealed class Writer(TestDatabase database, (int First, int Last, string Along) load, int number)
    {
        private int wanted = int.MaxValue;
        private TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Dictionary<int, long> Written { get; } = [];
        public int Transactions { get; private set; }

        public Task Reach(int more)
        {
            reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref wanted, Transactions + more);
            return reached.Task;
        }

        public async Task Work(CancellationToken stop)
        {
            await using var connection = await database.Cluster.Connect(database.Name, CancellationToken.None);
            var own = Enumerable.Range(load.First, load.Last - load.First + 1).Where(id => id % Writers == number).ToList();
            for (var turn = 0; !stop.IsCancellationRequested; turn++)
            {
                var id = own[turn * 7 % own.Count];
                await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
                var n = (long)(await Run(connection, "UPDATE ward SET n = n + 1 WHERE id = $1 RETURNING n", id))!;
                await Run(connection, load.Along, id);
                await transaction.CommitAsync(CancellationToken.None);
                Assert.Equal(Written.GetValueOrDefault(id) + 1, n);
                Written[id] = n;
                if (++Transactions >= Volatile.Read(ref wanted))
                    reached.TrySetResult();
            }
        }

        private static async Task<object?> Run(NpgsqlConnection connection, string sql, int id)
        {
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = id } } };
            return await command.ExecuteScalarAsync(CancellationToken.None);
        }
    }
}
