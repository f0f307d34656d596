namespace Kintsugi.Engine.Tests.Simulation;

/// <summary>Every accident comes from here, so that a seed tells all of them. At rate zero nothing happens any more.</summary>
internal sealed class Chance(int seed)
{
    // A generator of its own: the framework's may change with its version, and a seed must mean the same tomorrow.
    private ulong state = ((ulong)seed * 0x9E3779B97F4A7C15) + 0x632BE59BD9B4E019;

    /// <summary>How likely an accident is at each of the places where one may happen.</summary>
    public double Rate { get; set; }

    private ulong Next()
    {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    }

    /// <param name="limit">Exclusive.</param>
    public int Below(int limit) => (int)(Next() % (ulong)limit);

    public bool Is(double likelihood) => (Next() >> 11) * (1.0 / (1UL << 53)) < likelihood;

    public T Of<T>(params ReadOnlySpan<T> choices) => choices[Below(choices.Length)];

    public bool Accident(double weight = 1) => Rate > 0 && Is(Rate * weight);

    public void MayDie()
    {
        if (Accident(0.25))
            throw new SimulatedDeath();
    }
}
