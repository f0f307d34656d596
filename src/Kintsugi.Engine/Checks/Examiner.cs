namespace Kintsugi;

/// <summary>Lets the check that accused look again: to confirm before anything is touched, and to acquit after it was mended.</summary>
public sealed class Examiner(Registry registry, IPatientSource source, Depth depth)
{
    /// <summary>What the accusing checks say now about the objects of those findings: the worst of their verdicts.</summary>
    public async ValueTask<Verdict> LookAgain(IReadOnlyList<Finding> findings, CancellationToken cancellationToken)
    {
        var still = new List<Finding>();
        Verdict? unsure = null;
        foreach (var group in findings.GroupBy(finding => (finding.Check, finding.Target.Database)))
        {
            // A case may have been found at a door that is open now, by files that are not at hand, or by a newer version.
            var verdict = registry.Checks.FirstOrDefault(check => check.Id == group.Key.Check) is { } check
                ? await LookAgain(check, group.Key.Database, [.. group], cancellationToken)
                : new Verdict.Unchecked($"the check {group.Key.Check} that accused is none that can be asked here");
            if (verdict is Verdict.Damaged damaged)
                still.AddRange(damaged.Findings);
            else if (verdict is Verdict.Unchecked)
                unsure = verdict;
        }
        return still.Count > 0 ? new Verdict.Damaged(still) : unsure ?? Verdict.Sound.Instance;
    }

    private async ValueTask<Verdict> LookAgain(
        ICheck check, string? database, IReadOnlyList<Finding> findings, CancellationToken cancellationToken)
    {
        if (database is not null)
            source.Forget(database);
        var patient = await source.Open(check.Scope == Scope.Server ? null : database, cancellationToken) with { LooksAgain = true };
        await using var session = patient.Sql;
        if (check.Needs.LackIn(patient) is { } lack)
            return new Verdict.Unchecked(lack.Reason);
        var accused = findings.Select(f => (f.Fault.Id, Place(f.Target))).ToHashSet();
        var places = accused.Select(pair => pair.Item2).ToHashSet();
        var still = new List<Finding>();
        foreach (var portion in Relevant(await check.Divide(patient, depth, cancellationToken), findings, places))
        {
            var verdict = portion.Settled ?? await check.Examine(portion with { Depth = depth }, patient, cancellationToken);
            if (verdict is Verdict.Damaged damaged)
                still.AddRange(damaged.Findings.Where(f => accused.Contains((f.Fault.Id, Place(f.Target)))).Select(f => f with { Check = check.Id }));
            else if (verdict is Verdict.Unchecked)
                return verdict;
        }
        return Verdict.From(still);
    }

    /// <summary>The pieces that carry the accused names; where a check names its pieces otherwise, all pieces of the accused tables.</summary>
    private static IEnumerable<Portion> Relevant(
        IReadOnlyList<Portion> portions, IReadOnlyList<Finding> findings, HashSet<(string?, string?, string?)> places)
    {
        var named = portions.Where(portion => places.Contains(Place(portion.Target))).ToList();
        if (named.Select(portion => Place(portion.Target)).Distinct().Count() == places.Count)
            return named;
        var tables = findings.Select(f => (f.Target.Schema, f.Target.Relation)).ToHashSet();
        return portions.Where(p => p.Relation is null || tables.Contains((p.Target.Schema, p.Target.Relation)));
    }

    private static (string? Schema, string? Object, string? Rule) Place(Target target) =>
        (target.ObjectSchema ?? target.Schema, target.Object ?? target.Relation, target.Rule);
}
