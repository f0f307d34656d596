namespace Kintsugi.Bench.Measuring;

/// <summary>One run of one program: how long, how much processor time (with the server's), how much memory, and what it said.</summary>
internal sealed record Run(TimeSpan Wall, TimeSpan Cpu, long PeakBytes, int ExitCode, string Output)
{
    public static Run operator +(Run first, Run second) => new(
        first.Wall + second.Wall, first.Cpu + second.Cpu, Math.Max(first.PeakBytes, second.PeakBytes),
        Math.Max(first.ExitCode, second.ExitCode), first.Output + second.Output);
}
