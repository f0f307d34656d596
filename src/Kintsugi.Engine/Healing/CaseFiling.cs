namespace Kintsugi;

/// <summary>Opens a case in the ledger before anybody treats it: whoever comes next finds it there.</summary>
public static class CaseFiling
{
    public static ValueTask File(ILedger ledger, TimeProvider clock, HealingCase healing, CancellationToken cancellationToken) =>
        new Chart(ledger, clock, healing, null).Found(cancellationToken);

    /// <summary>The case with everything beside it that is open on that server: a repair refuses where its ground is damaged.</summary>
    /// <returns>Null when nothing was recorded of it that this version understands.</returns>
    public static async ValueTask<HealingCase?> Read(ILedger ledger, CaseRow row, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var other in await ledger.Cases(row.Server, cancellationToken))
            if (other.Id == row.Id || other.State is not ("healed" or "transient" or "undone"))
                findings.AddRange(new CaseHistory(await ledger.FactsOf(other.Id, cancellationToken)).ReadCase(other.Id)?.Findings ?? []);
        return Diagnosis.Cases([.. findings.DistinctBy(finding => finding.Id)]).FirstOrDefault(healing => healing.Id == row.Id);
    }
}
