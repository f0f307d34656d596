using Kintsugi.Cli.Options;
using Kintsugi.Cli.Runtime;

namespace Kintsugi.Cli.Output;

/// <summary>What became of each case, for a person.</summary>
internal static class HealText
{
    public static async ValueTask Write(
        CliContext context, HealArguments heal, IReadOnlyList<CaseReport> cases, ScrubReport last, Baseline baseline,
        OutputArguments output)
    {
        var to = context.Out;
        foreach (var report in cases)
            await Case(context, report);
        await CheckText.Accepted(context, last, baseline);
        await to.WriteLineAsync();
        if (cases.Count == 0)
            await to.WriteLineAsync(Text.Paint("There was nothing to heal.", Text.Green, context.Colour));
        else
        {
            var healed = cases.Count(report => report.Outcome is Outcome.Healed);
            var gone = cases.Count(report => report.Outcome is Outcome.Transient);
            await to.WriteLineAsync($"{healed} of {Text.Count(cases.Count, "case")} healed and proven"
                + (gone == 0 ? "" : $", {gone} gone with what was healed before, or by itself")
                + $", {cases.Count(report => report.Outcome is Outcome.Waiting or Outcome.Postponed)} waiting"
                + $", {cases.Count(report => report.Outcome is Outcome.Escalated)} for a person to decide"
                + $"; {Text.Count(cases.Sum(report => report.RowsQuarantined), "row")} in quarantine, {cases.Sum(report => report.RowsLost)} lost.");
        }
        if (!heal.Yes && !context.Interactive && cases.Count > 0)
            await to.WriteLineAsync("Nothing was changed: there is no terminal to ask on. --yes acts on what policy allows.");
        await to.WriteLineAsync($"After it: {CheckText.Words(last, baseline)}. Every fact of a case: kintsugi cases show ID");
        if (output.Verbose)
            foreach (var finding in last.Findings)
                await CheckText.Finding(context, finding);
    }

    private static async ValueTask Case(CliContext context, CaseReport report)
    {
        var to = context.Out;
        var colour = report.Outcome switch { Outcome.Healed or Outcome.Transient => Text.Green, Outcome.Waiting or Outcome.Postponed => Text.Yellow, _ => Text.Red };
        await to.WriteLineAsync();
        await to.WriteLineAsync($"{Text.Paint(report.Outcome.Word.ToUpperInvariant(), colour, context.Colour)}  case {report.Case.Id}  "
            + Text.Paint(report.Case.Cause, Text.Bold, context.Colour));
        await to.WriteLineAsync($"  seen by {report.Case.Findings[0].Check}: {report.Case.Findings[0].Evidence}");
        foreach (var step in report.Steps)
            await to.WriteLineAsync($"  done: {step.Step.Do}  ({Text.Time(step.Duration)}){(step.Note is { } note ? $": {note}" : "")}");
        if (report.Snapshot is { } snapshot)
            await to.WriteLineAsync($"  snapshot: {snapshot}");
        if (report.RowsQuarantined + report.RowsChanged > 0)
            await to.WriteLineAsync($"  {Text.Count(report.RowsQuarantined, "row")} in quarantine, {report.RowsChanged} changed; undo: kintsugi undo {report.Case.Id}");
        if (report.Outcome is Outcome.Transient)
            await to.WriteLineAsync("  sound when it was looked at again, before anything was done for it");
        if (report.Outcome.Why is { } why)
            await to.WriteLineAsync($"  {why}");
    }
}
