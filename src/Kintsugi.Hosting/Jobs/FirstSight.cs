using System.Globalization;

namespace Kintsugi.Hosting;

/// <summary>When the service first looked at a server's rows: what was wrong before is the owner's to acknowledge (RULES.md 3).</summary>
internal static class FirstSight
{
    private const string Scope = "service";
    private const string Key = "first-row-scrub";

    public static async ValueTask Remember(IMemory memory, string server, ScrubReport report, CancellationToken cancellationToken)
    {
        if (await Of(memory, server, cancellationToken) is null)
            await memory.Observe(server, [new Observation(Scope, Key, report.Started.ToString("O"), report.Finished)], cancellationToken);
    }

    public static async ValueTask<DateTimeOffset?> Of(IMemory memory, string server, CancellationToken cancellationToken) =>
        (await memory.Observations(server, Scope, cancellationToken)).FirstOrDefault(seen => seen.Key == Key) is { } first
            ? DateTimeOffset.Parse(first.Value, CultureInfo.InvariantCulture)
            : null;
}
