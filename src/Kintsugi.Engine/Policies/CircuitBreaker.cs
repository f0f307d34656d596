using System.Globalization;

namespace Kintsugi;

/// <summary>From how much new damage to files on repairs are stopped.</summary>
public sealed record BreakerLimits
{
    /// <summary>So many objects at once are no accident of one page.</summary>
    public int NewObjects { get; init; } = 10;
    public int NewFindings { get; init; } = 100;

    /// <summary>So many new ones beside those that were known are a rise, and not one more page of the same accident.</summary>
    public int Rise { get; init; } = 3;
}

/// <summary>
/// Stops every repair when the damage looks as if it were still being done: a failing disk, a controller, a host. Repairs on top of that lose what is
/// left. Only a person takes it back.
/// </summary>
public static class CircuitBreaker
{
    /// <summary>Of its observation in memory.</summary>
    public const string Scope = "breaker";
    private const string Key = "state", Reset = "reset: ";

    private const string Advice = "Nothing is repaired any more. Look at the hardware first: the kernel's log (dmesg, journalctl -k), smartctl -a, the "
        + "controller, memory (edac-util, mcelog), the file system. Keep every backup, do not fail over to or clone from an unproven copy. "
        + "When the cause is found: kintsugi breaker reset --because \"…\"";

    /// <returns>Why repairs must stop, or null.</returns>
    /// <param name="known">Findings of earlier scrubs, by id.</param>
    public static string? Judge(ScrubReport report, IReadOnlyDictionary<string, Sighting> known, BreakerLimits limits)
    {
        if (InputOutputError(report) is { } error)
            return $"the operating system could not read what it was asked for: {error}";
        var storage = report.Findings.Where(finding => finding.Fault is { Layer: Layer.Storage, Advice: false }).ToList();
        var fresh = storage.Where(finding => !known.ContainsKey(finding.Id)).ToList();
        var objects = fresh.Select(finding => (finding.Target.Database, finding.Target.ObjectSchema, finding.Target.Object)).Distinct().Count();
        if (objects >= limits.NewObjects || fresh.Count >= limits.NewFindings)
            return $"{Number(fresh.Count)} new findings of damaged files in {Number(objects)} objects at once, for example {fresh[0].Target.Name}";
        var standing = storage.Count - fresh.Count;
        return standing > 0 && fresh.Count >= limits.Rise
            ? $"damage of files rises from scrub to scrub: {Number(fresh.Count)} new findings beside {Number(standing)} known ones, for example "
                + fresh[0].Target.Name
            : null;
    }

    /// <summary>Judges a scrub before its findings become known ones, and remembers the answer.</summary>
    /// <returns>Why repairs are stopped, now or since earlier; null when they are not.</returns>
    public static async ValueTask<string?> Watch<TMemory>(
        TMemory memory, string server, ScrubReport report, BreakerLimits limits, DateTimeOffset now, CancellationToken cancellationToken)
        where TMemory : IMemory
    {
        if (await State(memory, server, cancellationToken) is { } stopped)
            return stopped;
        return Judge(report, await memory.Sightings(server, cancellationToken), limits) is { } reason
            ? await Stop(memory, server, reason, now, cancellationToken) : null;
    }

    /// <summary>A repair that met an error of the operating system in reading or writing stops all others likewise.</summary>
    /// <returns>Why repairs are stopped by it, or null.</returns>
    public static async ValueTask<string?> Heed<TMemory>(
        TMemory memory, string server, CaseReport report, DateTimeOffset now, CancellationToken cancellationToken) where TMemory : IMemory =>
        report.Outcome.Why is { } why && (Says(why) || why.Contains($"(SQLSTATE {IoError})", StringComparison.Ordinal))
            ? await Stop(memory, server, $"a repair of {report.Case.Target.Name} met an error of the operating system: {why}", now, cancellationToken) : null;

    private static async ValueTask<string?> Stop<TMemory>(
        TMemory memory, string server, string reason, DateTimeOffset now, CancellationToken cancellationToken) where TMemory : IMemory
    {
        await memory.Observe(server, [new Observation(Scope, Key, reason, now)], cancellationToken);
        return await State(memory, server, cancellationToken);
    }

    /// <returns>Why repairs are stopped on that server and since when, with what to do; null when they are not.</returns>
    public static async ValueTask<string?> State<TMemory>(TMemory memory, string server, CancellationToken cancellationToken) where TMemory : IMemory =>
        (await memory.Observations(server, Scope, cancellationToken)).FirstOrDefault(seen => seen.Key == Key) is { } last
            && !last.Value.StartsWith(Reset, StringComparison.Ordinal)
            ? $"repairs are stopped since {last.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC: {last.Value}. {Advice}" : null;

    public static ValueTask TakeBack<TMemory>(
        TMemory memory, string server, string person, string because, DateTimeOffset now, CancellationToken cancellationToken) where TMemory : IMemory =>
        memory.Observe(server, [new Observation(Scope, Key, $"{Reset}by {person}: {because}", now)], cancellationToken);

    /// <summary>SQLSTATE io_error.</summary>
    private const string IoError = "58030";

    /// <summary>The words are the C library's for EIO, in the server's own English.</summary>
    private static string? InputOutputError(ScrubReport report) =>
        report.Findings.FirstOrDefault(finding => finding.SqlState == IoError || Says(finding.Evidence)) is { } finding
            ? $"{finding.Target.Name}: {finding.Evidence}"
            : report.Examinations.FirstOrDefault(item => item.Verdict is Verdict.Unchecked { Reason: var reason } && Says(reason)) is { } blind
                ? $"{blind.Target.Name}: {blind.Verdict.Why}" : null;

    private static bool Says(string text) => text.Contains("Input/output error", StringComparison.OrdinalIgnoreCase);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
