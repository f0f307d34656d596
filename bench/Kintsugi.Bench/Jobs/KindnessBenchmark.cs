using System.Globalization;
using Kintsugi.Bench.Measuring;
using Kintsugi.Bench.Reporting;

namespace Kintsugi.Bench.Jobs;

/// <summary>What the people who use the database feel while we look at it, and while we mend it.</summary>
internal sealed class KindnessBenchmark : IBenchmark
{
    private const int Rounds = 3;

    public string Name => "kindness";
    public string What => "Latency of pgbench (half of what it could do, as a steady stream) without us, with a standard check running without end, "
        + "with one held to a rate, with pg_amcheck, which people use today, and with an index being broken and healed without end.";

    public async Task Run(Room room, Report report, CancellationToken cancellationToken)
    {
        if (room.Peer("pgbench") is not { } pgbench)
        {
            await report.Missing("pgbench", "the latency of others");
            return;
        }
        await using var cluster = await room.NewCluster(cancellationToken);
        var bank = new Bank(room, cluster, pgbench);
        await bank.Open(cancellationToken);
        List<(string Name, Func<CancellationToken, Task<Run>>? Beside)> guises =
        [
            ("nobody else", null),
            ("check", stop => bank.Ours(["check"], stop)),
            ("check --max-rate 20", stop => bank.Ours(["check", "--max-rate", "20"], stop)),
            ("heal", bank.BreakAndHeal),
        ];
        if (room.Peer("pg_amcheck") is { } program)
            guises.Insert(1, ("pg_amcheck -j 2 --heapallindexed", stop => bank.Peer([program, "-j", "2", "--heapallindexed"], stop)));
        else
            await report.Missing("pg_amcheck", "what others feel beside it");
        var seen = guises.Select(_ => new List<Stream>()).ToList();
        // In turn, as everything here: what else the machine does falls on all of them.
        for (var round = 0; round < Rounds; round++)
            for (var guise = 0; guise < guises.Count; guise++)
                seen[guise].Add(await bank.Serve(guises[guise].Beside, cancellationToken));
        var text = guises.Zip(seen, (guise, streams) =>
            $"| {guise.Name} | {Middle(streams, 0.50)} ms | {Middle(streams, 0.99)} ms | {streams.Sum(stream => stream.Rounds)} |");
        await report.Table($"{bank.Rate:0} transactions a second for {bank.Seconds} s each time, the median of {seen[0].Count} times\n\n"
            + "| beside it | p50 | p99 | ended meanwhile |\n|---|---|---|---|\n" + string.Join('\n', text));
    }

    private static string Middle(List<Stream> streams, double part) =>
        streams.Select(stream => stream.At(part)).Order().ElementAt(streams.Count / 2).ToString("0.0", CultureInfo.InvariantCulture);
}

/// <summary>The latencies of one stream of transactions, in milliseconds and in order, and how often ours ended beside it.</summary>
internal sealed record Stream(IReadOnlyList<double> Latencies, int Rounds)
{
    public double At(double part) => Latencies[(int)(Latencies.Count * part)];
}
