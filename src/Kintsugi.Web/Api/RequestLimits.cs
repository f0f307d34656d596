using System.Threading.RateLimiting;

namespace Kintsugi.Web.Api;

/// <summary>How often each caller may ask, and how often an address may guess.</summary>
internal sealed class RequestLimits(KintsugiWebOptions options) : IDisposable
{
    private readonly PartitionedRateLimiter<string> requests = Buckets(options.Burst, options.RequestsPerSecond, TimeSpan.FromSeconds(1));
    private readonly PartitionedRateLimiter<string> wrongKeys = Buckets(options.WrongKeys, 1, TimeSpan.FromSeconds(10));

    public bool Request(string caller) => Take(requests, caller);

    public bool WrongKey(string address) => Take(wrongKeys, address);

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
