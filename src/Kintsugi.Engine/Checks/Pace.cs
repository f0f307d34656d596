namespace Kintsugi;

/// <summary>Holds reading to a rate in bytes per second over all workers together, unlimited when the rate is null, and to a time.</summary>
public sealed class Pace
{
    /// <summary>So many seconds of the rate are read in one go: more at once would be a burst.</summary>
    private const int SecondsAtOnce = 30;

    private readonly Account account;

    public Pace(double? bytesPerSecond, TimeProvider clock) => account = new Account(bytesPerSecond, clock);

    private Pace(Account account) => this.account = account;

    /// <summary>How much one statement may read, where it can be cut.</summary>
    public long MostAtOnce { get; init; } = long.MaxValue;

    /// <summary>When looking must end: what is read in pieces stops between them.</summary>
    public DateTimeOffset End { get; private init; } = DateTimeOffset.MaxValue;

    /// <summary>The same rate, shared with all others, until then.</summary>
    public Pace EndingAt(DateTimeOffset end) => new(account) { MostAtOnce = MostAtOnce, End = end };

    /// <summary>How much may be read in one go by the rate.</summary>
    public long BytesAtOnce => account.Rate is { } rate ? Math.Min(MostAtOnce, (long)(rate * SecondsAtOnce)) : MostAtOnce;

    /// <summary>Accounts for what is about to be read and waits until the rate allows it.</summary>
    /// <exception cref="PatientException">The time is over, or would be by then.</exception>
    public async ValueTask Spend(long bytes, CancellationToken cancellationToken)
    {
        if (account.Clock.GetUtcNow() >= End)
            throw new PatientException(null, "the time limit was reached while it was looked at; raise --time-limit or run again");
        if (account.Enter(bytes) is { } ahead && ahead > TimeSpan.FromMilliseconds(1))
        {
            if (End - account.Clock.GetUtcNow() < ahead)
                throw new PatientException(null, "at this rate the time limit would be reached while it is looked at; raise --time-limit or --max-rate");
            await Task.Delay(ahead, account.Clock, cancellationToken);
        }
    }

    private sealed class Account(double? bytesPerSecond, TimeProvider clock)
    {
        private readonly Lock gate = new();
        private readonly long begun = clock.GetTimestamp();
        private double spent;

        public double? Rate => bytesPerSecond;
        public TimeProvider Clock => clock;

        public TimeSpan? Enter(long bytes)
        {
            if (bytesPerSecond is not { } rate)
                return null;
            lock (gate)
            {
                // Time that nobody used is not saved up: a pause must not be followed by a burst.
                spent = Math.Max(spent, clock.GetElapsedTime(begun).TotalSeconds * rate) + bytes;
                return TimeSpan.FromSeconds(spent / rate) - clock.GetElapsedTime(begun);
            }
        }
    }
}
