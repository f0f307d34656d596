using System.Threading.RateLimiting;

namespace Kintsugi.Web.Api;

/// <summary>How often each caller may ask, and how often an address may guess.</summary>
internal sealed class RequestLimits(KintsugiWebOptions options) : IDisposable
{
    private readonly PartitionedRateLimiter<string> requests = Buckets(options.Burst, options.RequestsPerSecond, TimeSpan.FromSeconds(1));
    private readonly PartitionedRateLimiter<string> wrongKeys = Buckets(options.WrongKeys, 1, TimeSpan.FromSeconds(10));

    public bool Request(string caller) => Take(requests, caller);

    public bool WrongKey(string address) => Take(wrongKeys, address);

    /// <summary>Who has guessed too often is not let in with the right key either, or guessing would go on at full speed.</summary>
    public bool MayShowKey(string address) => wrongKeys.GetStatistics(address) is not { CurrentAvailablePermits: 0 };

    public void Dispose()
    {
        requests.Dispose();
        wrongKeys.Dispose();
    }

    private static bool Take(PartitionedRateLimiter<string> limiter, string who)
    {
        using var lease = limiter.AttemptAcquire(who);
        return lease.IsAcquired;
    }

    private static PartitionedRateLimiter<string> Buckets(int full, int back, TimeSpan every) => PartitionedRateLimiter.Create<string, string>(
        who => RateLimitPartition.GetTokenBucketLimiter(who, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = full, TokensPerPeriod = back, ReplenishmentPeriod = every, QueueLimit = 0, AutoReplenishment = true,
        }));
}
