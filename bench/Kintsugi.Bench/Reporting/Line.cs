using System.Globalization;
using Kintsugi.Bench.Measuring;

namespace Kintsugi.Bench.Reporting;

/// <summary>One row of the results: the same work by ours and by a peer, and whether both found the same.</summary>
/// <param name="Goal">The number of the goal that it belongs to, or empty.</param>
/// <param name="Limit">The ratio that is to be reached, or null where there is none.</param>
/// <param name="Gate">What both had to agree on, with the figures.</param>
internal sealed record Line(string Work, string Peer, string Goal, double? Limit, Pairs Pairs, Gate Gate)
{
    public static string Header =>
        "| work | peer | ratio (median) | min | max | CPU ratio | ours | peer takes | our peak | goal | gate |\n|---|---|---|---|---|---|---|---|---|---|---|";

    /// <summary>What ran for less than a look at it takes, or within our own process, has none.</summary>
    private string Peak => Pairs.Ours.Max(run => run.PeakBytes) >> 20 is > 1 and var peak ? $"{peak} MiB" : "-";

    public bool Reached => Gate.Green && (Limit is null || Pairs.Ratio <= Limit);

    public override string ToString()
    {
        var goal = Limit is { } limit ? $"{Goal} ≤ {Number(limit)} {(Reached ? "reached" : "**missed**")}" : Goal;
        var cpu = Pairs.CpuRatio is { } ratio ? Number(ratio) : "-";
        return $"| {Work} | {Peer} | **{Number(Pairs.Ratio)}** | {Number(Pairs.Ratios[0])} | {Number(Pairs.Ratios[^1])} | {cpu} "
            + $"| {Time(Pairs.MedianWall(Pairs.Ours))} | {Time(Pairs.MedianWall(Pairs.Peer))} "
            + $"| {Peak} | {goal} | {Gate} |";
    }

    public static string Number(double value) => value.ToString(value < 0.1 ? "0.000" : "0.00", CultureInfo.InvariantCulture);

    public static string Time(TimeSpan time) => time < TimeSpan.FromSeconds(1)
        ? time.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture) + " ms"
        : time.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture) + " s";
}

/// <summary>What a figure is worth nothing without.</summary>
internal sealed record Gate(bool Green, string What)
{
    /// <summary>Holds two sets of findings against each other.</summary>
    public static Gate Same(string what, IReadOnlyCollection<string> ours, IReadOnlyCollection<string> peer)
    {
        var (missed, extra) = (peer.Except(ours).ToList(), ours.Except(peer).ToList());
        return missed.Count + extra.Count == 0
            ? new Gate(peer.Count > 0, $"{what}: {ours.Count} each, the same")
            : new Gate(false, $"{what}: missed {string.Join(' ', missed.Take(3))}, only ours {string.Join(' ', extra.Take(3))}");
    }

    public static Gate Equal<T>(string what, T ours, T peer) => new(Equals(ours, peer), $"{what}: {ours} and {peer}");

    public static Gate operator &(Gate first, Gate second) => new(first.Green && second.Green, $"{first.What}; {second.What}");

    public override string ToString() => (Green ? "green: " : "**RED**: ") + What;
}
