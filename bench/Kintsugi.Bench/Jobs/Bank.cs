using System.Globalization;
using Kintsugi.Bench.Measuring;
using Kintsugi.Lab;

namespace Kintsugi.Bench.Jobs;

/// <summary>pgbench's database, with people at its counters.</summary>
internal sealed class Bank(Room room, ThrowawayCluster cluster, string pgbench)
{
    private const string Database = "bank";

    public int Seconds { get; } = room.Size(6, 20);

    /// <summary>Transactions a second: half of what this machine can.</summary>
    public double Rate { get; private set; }

    public async Task Open(CancellationToken cancellationToken)
    {
        await cluster.Execute("postgres", $"CREATE DATABASE {Database}", cancellationToken);
        (await room.Measure(cluster, [pgbench, "-iq", "-s", $"{room.Size(10, 50)}", Database], cancellationToken)).Require(0);
        await cluster.CreateExtensions(Database, cancellationToken);
        await Room.Load(cluster, Database, ["CREATE INDEX broken ON pgbench_accounts (bid)", "VACUUM ANALYZE", "CHECKPOINT"], cancellationToken);
        var run = (await room.Measure(cluster, [pgbench, "-n", "-c", "2", "-T", "3", Database], cancellationToken)).Require(0);
        var line = run.Output.Split('\n').First(text => text.StartsWith("tps = ", StringComparison.Ordinal));
        Rate = Math.Max(20, double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture) / 2);
    }

    /// <summary>A steady stream of transactions, with something beside it, again and again until the stream ends.</summary>
    public async Task<Stream> Serve(Func<CancellationToken, Task<Run>>? beside, CancellationToken cancellationToken)
    {
        var prefix = Path.Combine(room.Laboratory.Root, "latency");
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var other = beside is null ? Task.FromResult(0) : Repeat(beside, over.Token);
        (await room.Beside(cluster, [pgbench, "-n", "-c", "4", "-T", $"{Seconds}", "-R", Rate.ToString("0", CultureInfo.InvariantCulture), "-l",
            $"--log-prefix={prefix}", Database], cancellationToken)).Require(0);
        await over.CancelAsync();
        var rounds = await other;
        await Quiet(cancellationToken);
        var latencies = new List<double>();
        foreach (var file in Directory.EnumerateFiles(room.Laboratory.Root, "latency*"))
        {
            // client, transaction, microseconds since it was due, …
            var lines = await File.ReadAllLinesAsync(file, cancellationToken);
            latencies.AddRange(lines.Select(line => double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture) / 1000));
            File.Delete(file);
        }
        latencies.Sort();
        return new Stream(latencies, rounds);
    }

    /// <summary>The backend of a program that was killed goes on with its statement, which would fall on whatever is measured next.</summary>
    private async Task Quiet(CancellationToken cancellationToken)
    {
        const string others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        await cluster.Execute("postgres", $"SELECT pg_terminate_backend(pid) {others}", cancellationToken);
        while (await cluster.Scalar<long>("postgres", $"SELECT count(*) {others}", cancellationToken) > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
    }

    public async Task<Run> Ours(string[] arguments, CancellationToken stop) =>
        (await room.Beside(cluster, [room.Kintsugi, arguments[0], "-d", Database, "-q", .. arguments[1..]], stop)).Require(0);

    public async Task<Run> Peer(string[] command, CancellationToken stop) => (await room.Beside(cluster, [.. command, "-d", Database], stop)).Require(0);

    /// <summary>What was begun is ended: a heal that is killed would leave its index half built for the next one to finish.</summary>
    public async Task<Run> BreakAndHeal(CancellationToken stop)
    {
        await LoseEntry.From(cluster, Database, "pgbench_accounts", "broken", "bid", "aid = 777", CancellationToken.None);
        return await Ours(["heal", "--yes", "-i", "public.broken", "--only", "btree"], CancellationToken.None);
    }

    private static async Task<int> Repeat(Func<CancellationToken, Task<Run>> work, CancellationToken stop)
    {
        for (var rounds = 0; ; rounds++)
        {
            try
            {
                if (stop.IsCancellationRequested)
                    return rounds;
                await work(stop);
            }
            catch (OperationCanceledException)
            {
                return rounds;
            }
        }
    }
}
