namespace Kintsugi;

/// <summary>
/// Closes cases that were left to a person and whose damage is gone: mended by hand, or dropped with what was damaged. The check that accused looks
/// again, as deep as any look can be, and at its objects alone; nothing is planned and nothing is written to the patient.
/// </summary>
/// <param name="exists">Whether the server still has a database of that name.</param>
public sealed class Closing(
    Registry registry, IPatientSource source, ILedger ledger, Func<string, CancellationToken, ValueTask<bool>> exists, TimeProvider clock)
{
    private readonly Examiner examiner = new(registry, source, Depth.Deep);

    /// <param name="server">The system identifier.</param>
    /// <param name="last">What was just seen: a case of which something is seen still is open.</param>
    /// <param name="concerns">Which cases this run is about.</param>
    /// <param name="cancellationToken">Between two cases.</param>
    public async ValueTask<IReadOnlyList<CaseReport>> Close(
        string server, ScrubReport last, Func<CaseRow, bool> concerns, CancellationToken cancellationToken)
    {
        var seen = last.Findings.Select(finding => finding.Id).ToHashSet();
        var closed = new List<CaseReport>();
        foreach (var row in (await ledger.Cases(server, cancellationToken)).Where(row => row.State is "escalated" or "waiting" && concerns(row)))
        {
            var history = new CaseHistory(await ledger.FactsOf(row.Id, cancellationToken));
            // What a run began is the next one's to finish, not to close.
            if (history.Interrupted || history.StepsDone || history.ReadCase(row.Id) is not { } healing || healing.Findings.Any(finding => seen.Contains(finding.Id)))
                continue;
            if (await Look(healing, cancellationToken) is not { } why)
                continue;
            var outcome = new Outcome.Transient(why);
            var chart = new Chart(ledger, clock, healing, null);
            await chart.Confirmed(Verdict.Sound.Instance, cancellationToken);
            await chart.Ended(outcome, null);
            closed.Add(new CaseReport(healing, outcome));
        }
        return closed;
    }

    /// <returns>Why it is closed, or null.</returns>
    private async ValueTask<string?> Look(HealingCase healing, CancellationToken cancellationToken)
    {
        try
        {
            if (healing.Database is { } database && !source.Databases.Contains(database))
                return await exists(database, cancellationToken) ? null : $"its database {database} is gone";
            return healing.Findings.All(finding => registry.Checks.Any(check => check.Id == finding.Check))
                && await examiner.LookAgain(healing.Findings, cancellationToken) is Verdict.Sound
                ? "the check that accused finds nothing any more: it was mended or dropped since by somebody else" : null;
        }
        catch (PatientException)
        {
            // It could not be looked at: it stays as it is, and whoever asked is told of the patient's trouble by the scrub.
            return null;
        }
    }
}
