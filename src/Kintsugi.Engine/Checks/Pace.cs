namespace Kintsugi;

/// <summary>Holds reading to a rate in bytes per second over all workers together; unlimited when the rate is null.</summary>
public sealed class Pace(double? bytesPerSecond, TimeProvider clock)
{
    private readonly Lock gate = new();
    private readonly long begun = clock.GetTimestamp();
    private double spent;

    /// <summary>Accounts for what was just read and waits until the rate allows more.</summary>
    public async ValueTask Spend(long bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond is not { } rate)
            return;
        TimeSpan ahead;
        lock (gate)
        {
            // Time that nobody used is not saved up: a pause must not be followed by a burst.
            spent = Math.Max(spent, clock.GetElapsedTime(begun).TotalSeconds * rate) + bytes;
            ahead = TimeSpan.FromSeconds(spent / rate) - clock.GetElapsedTime(begun);
        }
        if (ahead > TimeSpan.FromMilliseconds(1))
            await Task.Delay(ahead, clock, cancellationToken);
    }
}
