using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Output;

/// <summary>One line and the plugin exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (Monitoring Plugins guidelines).</summary>
internal static class Nagios
{
    public static async Task<int> Write(CliContext context, ScrubReport report, Baseline baseline, bool strict)
    {
        var left = baseline.Leaves(report.Findings).ToList();
        var damage = left.Where(finding => !finding.Fault.Advice).ToList();
        var advice = left.Count - damage.Count;
        var (word, code) =
            damage.Any(finding => finding.Severity == Severity.Critical) ? ("CRITICAL", 2)
            : damage.Count > 0 || (strict && advice > 0) ? ("WARNING", 1)
            : report.Count<Verdict.Unchecked>() > 0 || report.TimeLimitReached ? ("UNKNOWN", 3)
            : ("OK", 0);
        var first = damage.Count > 0 ? $": {damage[0].Target.Name.ReplaceLineEndings(" ").Replace('|', '/')}: {damage[0].Fault.Id}" : "";
        await context.Out.WriteLineAsync($"KINTSUGI {word} - {Text.Count(damage.Count, "finding")}{first} | sound={report.Count<Verdict.Sound>()} "
            + $"damaged={report.Count<Verdict.Damaged>()} unchecked={report.Count<Verdict.Unchecked>()} accepted={report.Findings.Count - left.Count} advice={advice} "
            + $"time={(report.Finished - report.Started).TotalSeconds:0.###}s");
        return code;
    }

    /// <summary>A plugin answers in its own codes also where it could not run.</summary>
    public static async Task<int> Guard(CliContext context, Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            return await CouldNotRun(context, Failures.Explain(problem) ?? Failures.Defect(problem, verbose: false));
        }
    }

    public static async Task<int> CouldNotRun(CliContext context, string message)
    {
        await context.Out.WriteLineAsync($"KINTSUGI UNKNOWN - {message.ReplaceLineEndings(" ").Replace('|', '/')}");
        return 3;
    }

    /// <summary>Whether a command line that cannot be read was a monitor's.</summary>
    public static bool IsAskedFor(string[] arguments) =>
        arguments.Contains("--format=nagios") || arguments.Zip(arguments.Skip(1)).Contains(("--format", "nagios"));
}
