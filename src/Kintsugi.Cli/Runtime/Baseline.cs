namespace Kintsugi.Cli.Runtime;

/// <summary>
/// The findings that a person has accepted as they are: shown, but kept out of the exit code and of every repair.
/// </summary>
/// <param name="Reasons">Why, by finding id.</param>
internal sealed record Baseline(IReadOnlyDictionary<string, string> Reasons)
{
    public static Baseline None { get; } = new(new Dictionary<string, string>());

    public bool Covers(Finding finding) => Reasons.ContainsKey(finding.Id);

    public bool Covers(HealingCase healing) => healing.Findings.All(Covers);

    /// <summary>What is left to act on.</summary>
    public IEnumerable<Finding> Leaves(IEnumerable<Finding> findings) => findings.Where(finding => !Covers(finding));

    /// <summary>An acceptance holds for its case, whatever its findings are called by now, until its date.</summary>
    public static async ValueTask<Baseline> Of(
        ILedger ledger, string server, IReadOnlyList<Finding> findings, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (findings.Count == 0)
            return None;
        var known = (await ledger.Cases(server, cancellationToken)).Select(row => row.Id).ToHashSet();
        var reasons = new Dictionary<string, string>();
        foreach (var healing in Diagnosis.Cases(findings).Where(healing => known.Contains(healing.Id)))
        {
            var facts = await ledger.FactsOf(healing.Id, cancellationToken);
            if (new CaseHistory(facts).Word.Accepted is not { } until || until <= now)
                continue;
            var said = Facts.Read(facts.Last(fact => fact.Kind == Facts.Accepted).Data);
            foreach (var finding in healing.Findings)
                reasons[finding.Id] = $"case {healing.Id}, by {said.GetValueOrDefault("by")}"
                    + $"{(until < DateTimeOffset.MaxValue ? $" until {until.UtcDateTime:yyyy-MM-dd}" : "")}: {said.GetValueOrDefault("because")}";
        }
        return new Baseline(reasons);
    }
}
