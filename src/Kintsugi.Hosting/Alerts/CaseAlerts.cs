using Kintsugi.State;

namespace Kintsugi.Hosting;

/// <summary>
/// Alerts follow the rows of the cases, whoever changed them and whatever was killed in between: one for a case that is open, one for a case
/// that a person must decide.
/// </summary>
internal sealed class CaseAlerts(AlertDesk desk, StoredLedger ledger, ConfigurationSource configuration)
{
    public async ValueTask Follow(string target, string server, CancellationToken cancellationToken)
    {
        var standing = desk.Firing("case:").ToHashSet();
        foreach (var row in await ledger.Cases(server, cancellationToken))
        {
            var key = $"case:{row.Id}";
            var escalated = $"{key}:escalated";
            if (Triage.IsClosed(row) || row.State is "accepted" or "rejected")
            {
                foreach (var gone in new[] { key, escalated }.Where(standing.Contains))
                    desk.Resolve(gone, target, $"{row.Cause}: {row.State}", row.Id);
                continue;
            }
            if (!standing.Contains(key))
                desk.Raise(key, await SeverityOf(row, cancellationToken), target, row.Cause, row.Id);
            if (row.State is "escalated" && !standing.Contains(escalated) && configuration.Current.AutoHealing.AlertOnFailure)
                desk.Raise(escalated, Severity.Critical, target, $"{row.Cause}: a person must decide: {row.Reason}", row.Id);
        }
    }

    /// <summary>What amcheck accuses is critical by the owner's table, whatever else is thought of it.</summary>
    private async ValueTask<Severity> SeverityOf(CaseRow row, CancellationToken cancellationToken) =>
        new CaseHistory(await ledger.FactsOf(row.Id, cancellationToken)).ReadCase(row.Id) is not { } healing ? Severity.Critical
        : healing.Findings.Any(finding => finding.Check is "btree" or "heap") ? Severity.Critical
        : healing.Findings.Max(finding => finding.Severity);
}
