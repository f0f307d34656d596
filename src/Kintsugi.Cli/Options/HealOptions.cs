using System.CommandLine;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Options;

/// <summary>Consent and its width.</summary>
internal sealed class HealOptions
{
    private readonly Option<bool> yes = new("--yes", "-y") { Description = "act on what policy allows, without asking" };
    private readonly Option<string?> allow = new("--allow") { Description = "widen what may be done: reversible or lossy" };
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "plan only; change nothing" };
    private readonly Option<string?> plan = new("--plan") { Description = "do exactly this plan file, if its evidence still holds" };
    private readonly Option<string[]> only = new("--case") { Description = "only this case; repeats" };

    private readonly Option<string?> repair = new("--repair") { Description = "plan by this repair alone; some are only done when they are named" };
    private readonly Option<string?> programs = new("--pg-bin") { Description = "with -D and no server: a directory with postgres and pg_ctl, for the trial on a copy" };
    private readonly Option<string?> beside = new("--beside")
    {
        Description = "with -D and no server: leave the mended copy in this empty directory instead of putting files in place",
    };

    public HealOptions() => allow.AcceptOnlyFromAmong("reversible", "lossy");

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { yes, allow, dryRun, plan, only, repair, programs, beside })
            command.Add(option);
    }

    public HealArguments Read(ParseResult parsed) => parsed.GetValue(dryRun) && parsed.GetValue(plan) is not null
        ? throw new UsageException("--dry-run makes a plan and --plan does one: give one of them")
        : new HealArguments(
        parsed.GetValue(yes),
        parsed.GetValue(allow) switch { "reversible" => Grade.Reversible, "lossy" => Grade.Lossy, _ => Grade.Lossless },
        parsed.GetValue(dryRun), parsed.GetValue(plan), parsed.GetValue(only) ?? [])
        {
            Repair = parsed.GetValue(repair),
            Programs = parsed.GetValue(programs),
            Beside = parsed.GetValue(beside),
        };
}

internal sealed record HealArguments(bool Yes, Grade Allow, bool DryRun, string? PlanFile, IReadOnlyList<string> Cases)
{
    /// <summary>The one repair that may be planned; null for the gentlest that fits.</summary>
    public string? Repair { get; init; }

    /// <summary>The directory of the server's programs, for a copy that is tried.</summary>
    public string? Programs { get; init; }

    /// <summary>Where the mended copy of a stopped cluster is left.</summary>
    public string? Beside { get; init; }
}
