using Kintsugi.Cli.Output;
using Kintsugi.Cli.Runtime;
using Kintsugi.Lab;
using Kintsugi.Lab.Damage;

namespace Kintsugi.Cli.Demo;

/// <summary>What came of the demo: every injury with what was seen and done, and the comparison of every row.</summary>
internal sealed record DemoStory(
    IReadOnlyList<Injury> Injuries, ScrubReport Seen, IReadOnlyList<CaseReport> Cases, ScrubReport Last, Fingerprint Before,
    FingerprintDifference Difference, string Snapshots, bool Kept)
{
    /// <summary>Every injury was found, every case healed, nothing is damaged any more, and every row is what it was.</summary>
    public bool IsGood => Injuries.All(WasFound) && Cases.Count > 0 && Cases.All(report => report.Outcome is Outcome.Healed or Outcome.Transient)
        && Last.Findings.All(finding => finding.Fault.Advice) && Difference.IsEmpty;

    public async ValueTask Tell(CliContext context, TimeSpan took)
    {
        var to = context.Out;
        await to.WriteLineAsync();
        await to.WriteLineAsync(Text.Paint("What was broken, and what became of it", Text.Bold, context.Colour));
        foreach (var injury in Injuries)
        {
            var healed = Cases.Any(report => report.Outcome is Outcome.Healed && report.Case.Findings.Any(finding => Means(injury, finding)));
            await to.WriteLineAsync($"  {Mark(WasFound(injury), "found", "MISSED", context)}  {Mark(healed, "healed", "NOT HEALED", context)}  "
                + $"{injury.Target,-42} {injury.Fault.Title}");
        }
        await to.WriteLineAsync();
        await to.WriteLineAsync(Difference.IsEmpty
            ? Text.Paint($"Every one of {Text.Count(Before.RowCount, "row")} in {Text.Count(Before.TableCount, "table")} is there, and what it was.",
                Text.Green, context.Colour)
            : Text.Paint("Rows are not what they were:", Text.Red, context.Colour) + $"\n{Difference}");
        var snapshots = Cases.Count(report => report.Snapshot is not null);
        await to.WriteLineAsync($"{Text.Count(Cases.Count(report => report.Outcome is Outcome.Healed), "case")} healed, "
            + $"{Cases.Count(report => report.Outcome is Outcome.Transient)} gone with what was healed, "
            + $"{Text.Count(snapshots, "snapshot")} taken before ({(Kept ? Snapshots : "removed with the server; --keep leaves them")}), "
            + $"{Text.Count(Cases.Sum(report => report.RowsQuarantined), "row")} in quarantine, {Cases.Sum(report => report.RowsLost)} lost; "
            + $"the last look: {Last.Count<Verdict.Sound>():N0} sound, {Last.Findings.Count(finding => !finding.Fault.Advice):N0} damaged, "
            + $"{Last.Count<Verdict.Unchecked>():N0} not examined.");
        await to.WriteLineAsync($"It took {Text.Time(took)}, of which the repairs {Text.Time(Cases.Aggregate(TimeSpan.Zero, (sum, c) => sum + c.Duration))}.");
        await to.WriteLineAsync(IsGood
            ? "Your own database: ./kintsugi check -h HOST -U USER -d DATABASE   (reads only)"
            : Text.Paint("This is not how it should end.", Text.Red, context.Colour));
    }

    private bool WasFound(Injury injury) => Seen.Findings.Concat(Last.Findings).Concat(Cases.SelectMany(report => report.Case.Findings))
        .Any(finding => Means(injury, finding));

    private static bool Means(Injury injury, Finding finding) =>
        (finding.Fault == injury.Fault || injury.Alike.Contains(finding.Fault))
        && (finding.Target.Relation == injury.Target.Relation || finding.Target.Object == (injury.Target.Object ?? injury.Target.Relation));

    private static string Mark(bool good, string yes, string no, CliContext context) =>
        good ? Text.Paint(yes, Text.Green, context.Colour) : Text.Paint(no, Text.Red, context.Colour);
}
