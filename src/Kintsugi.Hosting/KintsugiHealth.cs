using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Kintsugi.Hosting;

/// <summary>Adds Kintsugi's own health to an application's health checks.</summary>
public static class KintsugiHealthChecks
{
    /// <summary>Healthy while Kintsugi can work; degraded while a target cannot be examined, a case waits for a person, repairs are paused or the configuration
    /// was refused. A sick patient alone makes nothing unhealthy.</summary>
    public static IHealthChecksBuilder AddKintsugi(this IHealthChecksBuilder builder, string name = "kintsugi") => builder.AddCheck<KintsugiHealth>(name);
}

internal sealed class KintsugiHealth(IJobBoard jobs, IKintsugiTargets targets, ICaseDesk cases, ConfigurationSource configuration) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await jobs.List(cancellationToken);
        var away = targets.All.Where(target => target.Reachable == false).Select(target => target.Name).ToList();
        var escalated = (await cases.List(cancellationToken)).Count(row => row.State == "escalated");
        List<string> told =
        [
            .. away.Select(name => $"target {name} cannot be examined"),
            .. escalated > 0 ? [$"{escalated} cases wait for a person"] : Array.Empty<string>(),
            .. jobs.RepairPause is { } pause ? [$"repairs are paused by {pause.By}: {pause.Because}"] : Array.Empty<string>(),
            .. configuration.LastReloadTook ? Array.Empty<string>() : ["the configuration file has mistakes; the old one holds"],
        ];
        var data = new Dictionary<string, object> { ["targets"] = targets.All.Count, ["unreachable"] = away.Count, ["escalated"] = escalated };
        return told.Count == 0 ? HealthCheckResult.Healthy(data: data) : HealthCheckResult.Degraded(string.Join("; ", told), data: data);
    }
}
