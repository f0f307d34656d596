namespace Kintsugi.Bench.Measuring;

/// <summary>Ours and the peer in turn, A B A B, so that whatever else the machine does falls on both.</summary>
internal sealed record Pairs(IReadOnlyList<Run> Ours, IReadOnlyList<Run> Peer)
{
    /// <summary>Full sizes take long enough for what else the machine does to even out.</summary>
    private const int Enough = 5;

    public IReadOnlyList<double> Ratios { get; } = [.. Ours.Zip(Peer, (a, b) => a.Wall / b.Wall).Order()];

    public double Ratio => Median(Ratios);

    /// <summary>Null where either ran for less than what the kernel's clock of ticks can tell.</summary>
    public double? CpuRatio => Ours.Concat(Peer).Any(run => run.Cpu < TimeSpan.FromMilliseconds(50))
        ? null
        : Median([.. Ours.Zip(Peer, (a, b) => a.Cpu / b.Cpu).Order()]);

    /// <summary>One run of each that does not count warms caches, then five pairs, or as many as are asked for.</summary>
    public static async Task<Pairs> Of(Func<Task<Run>> ours, Func<Task<Run>> peer, int count = Enough)
    {
        await ours();
        await peer();
        var (a, b) = (new List<Run>(), new List<Run>());
        for (var pair = 0; pair < count; pair++)
        {
            a.Add(await ours());
            b.Add(await peer());
        }
        return new Pairs(a, b);
    }

    public static TimeSpan MedianWall(IReadOnlyList<Run> runs) => runs.Select(run => run.Wall).Order().ElementAt(runs.Count / 2);

    private static double Median(IReadOnlyList<double> ordered) => ordered.Count % 2 == 1
        ? ordered[ordered.Count / 2]
        : (ordered[ordered.Count / 2 - 1] + ordered[ordered.Count / 2]) / 2;
}
