namespace Kintsugi.State;

/// <summary>Holds a copy to so many bytes a second, so that the server beside it keeps its disk.</summary>
/// <param name="bytesPerSecond">Null for no limit.</param>
internal sealed class Throttle(long? bytesPerSecond, TimeProvider clock)
{
    private readonly long begun = clock.GetTimestamp();
    private long passed;

    public bool Limits => bytesPerSecond is not null;

    /// <summary>Waits until that many more bytes may have passed.</summary>
    public async ValueTask Passed(long bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (bytesPerSecond is not { } rate)
            return;
        passed += bytes;
        var ahead = TimeSpan.FromSeconds((double)passed / rate) - clock.GetElapsedTime(begun);
        if (ahead > TimeSpan.FromMilliseconds(1))
            await Task.Delay(ahead, clock, cancellationToken);
    }
}
