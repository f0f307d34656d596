using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Output;

/// <summary>A scrub's report for a person: what is damaged first, then what could not be examined, then one line on the rest and what to do next.</summary>
internal static class CheckText
{
    private const int MostFindings = 50;
    private const int MostReasons = 12;

    public static async ValueTask Write(CliContext context, Capabilities server, string name, ScrubReport report, Baseline baseline,
        bool quiet, bool verbose)
    {
        var to = context.Out;
        if (!quiet)
            await to.WriteLineAsync($"PostgreSQL {server.Version} at {name}, system {server.SystemIdentifier}"
                + $"{(server.InRecovery ? ", standby" : "")}, checksums {(server.DataChecksums switch { true => "on", false => "off", _ => "unknown" })}");
        var damage = baseline.Leaves(report.Findings).Where(finding => !finding.Fault.Advice).ToList();
        var advice = baseline.Leaves(report.Findings).Where(finding => finding.Fault.Advice).ToList();
        await Findings(context, damage, verbose);
        await Findings(context, advice, verbose);
        if (!quiet)
            await Accepted(context, report, baseline);
        if (!quiet)
            await Unchecked(context, report, verbose);
        if (verbose)
            await Sound(context, report);
        await Summary(context, report, baseline, damage.Count, advice.Count);
    }

    private static async ValueTask Findings(CliContext context, List<Finding> findings, bool verbose)
    {
        var shown = verbose ? findings.Count : Math.Min(findings.Count, MostFindings);
        foreach (var finding in findings.OrderByDescending(finding => finding.Severity).Take(shown))
            await Finding(context, finding);
        if (shown < findings.Count)
            await context.Out.WriteLineAsync($"\n… and {findings.Count - shown} more findings; --verbose or --format json shows all");
    }

    public static async ValueTask Finding(CliContext context, Finding finding)
    {
        var to = context.Out;
        var colour = finding.Severity switch { Severity.Critical => Text.Red, Severity.Warning => Text.Yellow, _ => Text.Dim };
        var place = finding.Target.Block is { } block
            ? $", {finding.Target.Fork ?? "main"} fork, block {block}{(finding.Target.Offset is { } offset ? $", item {offset}" : "")}" : "";
        await to.WriteLineAsync();
        await to.WriteLineAsync($"{Text.Paint(finding.Severity.ToString().ToUpperInvariant(), colour, context.Colour)}  "
            + $"{Text.Paint(finding.Target.Name, Text.Bold, context.Colour)}{(finding.Target.Rule is { } rule ? $" ({rule})" : "")}{place}"
            + $"{(finding.Target.Database is { } database ? $", database {database}" : "")}");
        await to.WriteLineAsync($"  {finding.Fault.Id}: {finding.Fault.Title}{(finding.Rows is { } rows ? $": {Text.Count(rows, "row")}" : "")}");
        await to.WriteLineAsync($"  seen by {finding.Check}: {finding.Evidence}{(finding.SqlState is { } state ? $" ({state})" : "")}");
        if (finding.Samples.Count > 0)
            await to.WriteLineAsync($"  rows such as: {string.Join(", ", finding.Samples.Take(5))}");
        if (finding.Provisional is { } why)
            await to.WriteLineAsync($"  provisional: {why}");
        if (finding.Hint is { } hint)
            await to.WriteLineAsync($"  {Text.Paint("next:", Text.Dim, context.Colour)} {hint}");
    }

    public static async ValueTask Accepted(CliContext context, ScrubReport report, Baseline baseline)
    {
        var accepted = report.Findings.Where(baseline.Covers).ToList();
        if (accepted.Count == 0)
            return;
        await context.Out.WriteLineAsync();
        await context.Out.WriteLineAsync(Text.Paint("Accepted as it is (it does not count):", Text.Yellow, context.Colour));
        foreach (var finding in accepted.Take(MostFindings))
            await context.Out.WriteLineAsync($"  {finding.Fault.Id}: {finding.Target.Name}; {baseline.Reasons[finding.Id]}");
        if (accepted.Count > MostFindings)
            await context.Out.WriteLineAsync($"  … and {accepted.Count - MostFindings} more; --format json shows all");
    }

    private static async ValueTask Unchecked(CliContext context, ScrubReport report, bool verbose)
    {
        var groups = report.Examinations.Where(examination => examination.Verdict is Verdict.Unchecked)
            .GroupBy(examination => (examination.Check, examination.Verdict.Why)).OrderByDescending(group => group.Count()).ToList();
        if (groups.Count == 0)
            return;
        await context.Out.WriteLineAsync();
        await context.Out.WriteLineAsync(Text.Paint("Not examined:", Text.Yellow, context.Colour));
        foreach (var group in groups.Take(verbose ? groups.Count : MostReasons))
        {
            var names = string.Join(", ", group.Select(examination => examination.Target.Name).Distinct().Take(verbose ? 1000 : 3));
            await context.Out.WriteLineAsync($"  {group.Key.Check}: {names}{(group.Count() > 3 && !verbose ? $" and {group.Count() - 3} more" : "")}");
            await context.Out.WriteLineAsync($"    because {group.Key.Why}");
        }
        if (groups.Count > MostReasons && !verbose)
            await context.Out.WriteLineAsync($"  … and {groups.Count - MostReasons} more reasons; --verbose shows all");
    }

    private static async ValueTask Sound(CliContext context, ScrubReport report)
    {
        await context.Out.WriteLineAsync();
        foreach (var examination in report.Examinations.Where(examination => examination.Verdict is Verdict.Sound or Verdict.NotApplicable))
            await context.Out.WriteLineAsync($"{examination.Verdict.Word,-14} {examination.Check,-20} {examination.Target.Name}"
                + $"  {Text.Time(examination.Duration)}{(examination.Verdict.Why is { } why ? $"  ({why})" : "")}"
                + (examination.Carried is { } carried ? $"  ({carried.How} since {carried.At.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC)" : ""));
    }

    /// <summary>How many examinations came out how; advice and what was accepted is not called damage here.</summary>
    public static string Words(ScrubReport report, Baseline baseline)
    {
        var damaged = report.Examinations.Count(examination => examination.Verdict is Verdict.Damaged verdict
            && verdict.Findings.Any(finding => !finding.Fault.Advice && !baseline.Covers(finding)));
        var known = report.Count<Verdict.Damaged>() - damaged;
        return $"{report.Count<Verdict.Sound>():N0} sound, {damaged:N0} damaged, "
            + (known > 0 ? $"{known:N0} with advice or accepted, " : "")
            + $"{report.Count<Verdict.Unchecked>():N0} not examined, {report.Count<Verdict.NotApplicable>():N0} not applicable";
    }

    private static async ValueTask Summary(CliContext context, ScrubReport report, Baseline baseline, int damage, int advice)
    {
        var to = context.Out;
        await to.WriteLineAsync();
        var words = Words(report, baseline) + $", in {Text.Time(report.Finished - report.Started)}";
        if (damage > 0)
        {
            await to.WriteLineAsync($"{Text.Paint(Text.Count(damage, "finding"), Text.Red, context.Colour)}: {words}.");
            await to.WriteLineAsync("Nothing was changed. What would be done about it: kintsugi plan, with the same options.");
        }
        else if (report.Count<Verdict.Unchecked>() > 0)
        {
            await to.WriteLineAsync($"{Text.Paint("No damage found, but not everything could be examined", Text.Yellow, context.Colour)}: {words}.");
            await to.WriteLineAsync("What would change that: kintsugi doctor, with the same options.");
        }
        else
            await to.WriteLineAsync($"{Text.Paint("Sound", Text.Green, context.Colour)}: {words}.");
        if (report.CountCarried(Carried.Resumed) is > 0 and var resumed)
            await to.WriteLineAsync($"{Text.Count(resumed, "examination")} of these stood in the check that this one goes on with.");
        if (report.CountCarried(Carried.Unchanged) is > 0 and var unchanged)
            await to.WriteLineAsync($"{Text.Count(unchanged, "examination")} of these rest on an earlier proof (the oldest of "
                + $"{report.Examinations.Where(e => e.Carried?.How == Carried.Unchanged).Min(e => e.Carried!.At).UtcDateTime:yyyy-MM-dd HH:mm} UTC): "
                + "no page of those tables has changed since.");
        if (advice > 0)
            await to.WriteLineAsync($"{Text.Count(advice, "piece")} of advice above; advice does not turn the exit code (--strict makes it count).");
    }
}
