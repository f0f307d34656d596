namespace Kintsugi.Engine.Tests.Simulation;

/// <summary>Time passes only when the world lets it; timers fire on the way.</summary>
internal sealed class SimulatedClock : TimeProvider
{
    private readonly List<Alarm> alarms = [];
    private DateTimeOffset now = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => now;

    public override long GetTimestamp() => now.UtcTicks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Pass(TimeSpan span)
    {
        now += span;
        foreach (var alarm in alarms.Where(alarm => alarm.Due <= now).ToList())
        {
            alarms.Remove(alarm);
            alarm.Ring();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, () => callback(state));
        alarm.Change(dueTime, period);
        return alarm;
    }

    private sealed class Alarm(SimulatedClock clock, Action ring) : ITimer
    {
        public DateTimeOffset Due { get; private set; } = DateTimeOffset.MaxValue;

        public void Ring() => ring();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            clock.alarms.Remove(this);
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                Due = clock.now + dueTime;
                clock.alarms.Add(this);
            }
            return true;
        }

        public void Dispose() => clock.alarms.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
