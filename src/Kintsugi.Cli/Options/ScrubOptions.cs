using System.CommandLine;
using System.Globalization;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Options;

/// <summary>What to examine and how hard: shared by check, plan and heal.</summary>
internal sealed class ScrubOptions
{
    private readonly Option<string> depth = new("--depth")
    {
        Description = "quick (seconds), standard (all that blocks no writer) or deep (everything)",
        DefaultValueFactory = _ => "standard",
    };
    private readonly Option<string[]> only = new("--only") { Description = "only these checks; repeats" };
    private readonly Option<string[]> skip = new("--skip") { Description = "not these checks; repeats" };
    private readonly Option<int> jobs = new("--jobs", "-j") { Description = "sessions at work side by side", DefaultValueFactory = _ => 1 };
    private readonly Option<string?> limit = new("--time-limit") { Description = "stop after this time (30m, 1h30m); what is left is unchecked" };
    private readonly Option<string?> rate = new("--max-rate") { Description = "read at most so many megabytes a second from files" };
    private readonly Option<bool> strict = new("--strict") { Description = "advice (settings, known bugs, anomalies) counts for the exit code" };
    private readonly SelectionOptions selection = new();

    public ScrubOptions() => depth.AcceptOnlyFromAmong("quick", "standard", "deep");

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { depth, only, skip, jobs, limit, rate, strict })
            command.Add(option);
        selection.AddTo(command);
    }

    public ScrubArguments Read(ParseResult parsed)
    {
        if (parsed.GetValue(jobs) is < 1 or > 64)
            throw new UsageException("--jobs takes a number from 1 to 64");
        if ((parsed.GetValue(only) ?? []).Intersect(parsed.GetValue(skip) ?? []).FirstOrDefault() is { } both)
            throw new UsageException($"--only {both} and --skip {both} contradict each other: give one of them");
        return new ScrubArguments(
            new ScrubSettings
            {
                Depth = Enum.Parse<Depth>(parsed.GetValue(depth)!, ignoreCase: true),
                Jobs = parsed.GetValue(jobs),
                TimeLimit = parsed.GetValue(limit) is { } text ? Duration.Parse(text, "--time-limit") : null,
                Only = (parsed.GetValue(only) ?? []).ToHashSet(),
                Skip = (parsed.GetValue(skip) ?? []).ToHashSet(),
            },
            selection.Read(parsed),
            parsed.GetValue(rate) is { } megabytes ? Rate(megabytes) : null,
            parsed.GetValue(strict));
    }

    private static double Rate(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) && rate > 0 && double.IsFinite(rate) ? rate
            : throw new UsageException($"--max-rate takes megabytes a second, such as 50 or 0.5, not \"{text}\"");
}

/// <param name="MaxRate">Megabytes a second, or null for no limit.</param>
internal sealed record ScrubArguments(ScrubSettings Settings, Selection Selection, double? MaxRate, bool Strict)
{
    /// <summary>Go on with the check of the same options that was interrupted.</summary>
    public bool Resume { get; init; }

    /// <summary>Keep how far it has come, for the next one to go on.</summary>
    public bool Resumable { get; init; }

    /// <summary>What needs no look this time.</summary>
    public IScrubJournal? Proven { get; init; }

    /// <summary>What is asked, as one word: only the same question can be gone on with.</summary>
    public string Words(IEnumerable<string> databases) => string.Join('\u001d', Settings.Depth, string.Join(' ', Settings.Only.Order(StringComparer.Ordinal)),
        string.Join(' ', Settings.Skip.Order(StringComparer.Ordinal)), Selection.Words, string.Join('\u001f', databases));
}
