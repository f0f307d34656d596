namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>
/// The system catalogs of one database against each other, read from their heaps: references that lead nowhere, rows that are
/// missing on
/// one side, keys that occur twice, flags that hide what is there. The rules are data (<see cref="CatalogReferences"/>, the
/// *Rules lists).
/// </summary>
public sealed class CatalogCheck : ICheck
{
    public string Id => "catalog";
    public string Proves => "the system catalogs of the database agree with each other";
    public Layer Layer => Layer.Catalog;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.CatalogInconsistent, Faults.StatisticsCorrupt];
    public Needs Needs { get; } = new();

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        await CatalogPortions.Of(patient, shared: false, cancellationToken);

    public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken) =>
        CatalogExamination.Examine((CatalogPortion)portion, patient, cancellationToken);
}

/// <summary>The catalogs that all databases of a cluster share: roles, databases, tablespaces, and who depends on them. Looked at
/// once.</summary>
public sealed class SharedCatalogCheck : ICheck
{
    public string Id => "shared-catalog";
    public string Proves => "the system catalogs that all databases share agree with each other";
    public Layer Layer => Layer.Catalog;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.CatalogInconsistent];
    public Needs Needs { get; } = new();
    public Scope Scope => Scope.Server;

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken) =>
        await CatalogPortions.Of(patient, shared: true, cancellationToken);

    public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken) =>
        CatalogExamination.Examine((CatalogPortion)portion, patient, cancellationToken);
}
