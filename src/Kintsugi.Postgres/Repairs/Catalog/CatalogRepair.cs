namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>
/// Ends contradictions between system catalogs where what is right can be told from what is left: from the row type, the array type, the
/// dependencies, the indexes themselves. Catalog rows are written by hand only with a person's approval and a snapshot of the whole cluster; the
/// old rows are kept in the record of the step.
/// </summary>
public sealed class CatalogRepair : IRepair
{
    public string Id => "catalog-mend";
    public string Does => "puts catalog rows right from what other catalogs still know";
    public IReadOnlyList<FaultClass> Mends => [Faults.CatalogInconsistent];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (!patient.Can.Superuser)
            return new Proposal.Refused("only a superuser can write system catalogs");
        var mend = await CatalogFlags.Mend(healing, patient, cancellationToken)
            ?? await DanglingDependencies.Mend(healing, patient, cancellationToken)
            ?? await LostNamespace.Mend(healing, patient, cancellationToken)
            ?? await LostToastLink.Mend(healing, patient, cancellationToken)
            ?? await LostEnumType.Mend(healing, patient, cancellationToken)
            ?? await LostAttribute.Mend(healing, patient, cancellationToken)
            ?? await LostIndexRow.Mend(healing, patient, cancellationToken)
            ?? new CatalogMend.Unknown("what the catalogs should say cannot be told from what is left in them. Take a snapshot of the cluster, restore "
                + "it beside the original or open a backup, and compare the rows of: "
                + string.Join(", ", healing.Findings.Select(finding => finding.Facts.GetValueOrDefault("catalog")).Distinct()));
        if (mend is CatalogMend.Unknown unknown)
            return new Proposal.Refused(unknown.Why);
        var of = (CatalogMend.Of)mend;
        return new Proposal.Planned(new Plan(Id, of.Steps)
        {
            Case = healing.Id,
            Alters = [healing.Target],
            Snapshot = SnapshotGrade.Cluster,
            NeedsApproval = "system catalogs are written by hand",
            NeedsWindow = of.Steps.Any(step => step.Lock == "AccessExclusive"),
            Warnings = [of.Told],
        });
    }

    /// <summary>The rules under which the findings were made, when they are all among those.</summary>
    internal static bool AllAre(HealingCase healing, Func<string, bool> rule) =>
        healing.Findings.All(finding => finding.Facts.TryGetValue("rule", out var id) && rule(id));

    internal static uint Oid(Finding finding) =>
        finding.Facts.TryGetValue("oid", out var oid) ? uint.Parse(oid, System.Globalization.CultureInfo.InvariantCulture) : 0;

    /// <summary>The OID of the row that is gone, from the cause "pg_class (123)"; 0 when the case has another cause.</summary>
    internal static uint Missing(HealingCase healing, string catalog) =>
        healing.Findings[0].Facts.GetValueOrDefault("cause") is { } cause && cause.StartsWith($"{catalog} (", StringComparison.Ordinal)
        && uint.TryParse(cause[(catalog.Length + 2)..^1], out var oid) ? oid : 0;
}
