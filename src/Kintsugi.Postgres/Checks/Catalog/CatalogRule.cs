namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>A rule that the declared references do not express.</summary>
/// <param name="Expected">What a sound catalog has.</param>
/// <param name="Sql">Relation OID or 0, the thing, its ctid or null, what was found instead, and the shared cause or
/// nothing.</param>
internal sealed record CatalogRule(string Id, string Catalog, string Expected, string Sql)
{
    /// <summary>Catalog columns without which the rule means nothing here: pg_class.relispartition.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];
    public int SinceMajor { get; init; } = 13;
    public FaultClass Fault { get; init; } = Faults.CatalogInconsistent;
    public Severity? Severity { get; init; }
    public bool ThingIsColumn { get; init; }

    /// <summary>While this stands, what other checks say of the table's rows may be wrong, and no row is touched on the strength of it.</summary>
    public bool Misleads { get; init; }

    public bool Fits(CatalogShape shape) => shape.Major >= SinceMajor
        && Columns.All(column => column.Split('.') is [var catalog, var name] && shape.Has(catalog, name));

    public CatalogProbe Probe() => new(Id, Catalog, $"{Sql}\nLIMIT {CatalogReference.MaxRows}",
        (thing, found) => $"{thing}: expected {Expected}, but {found}")
    {
        Fault = Fault,
        Severity = Severity,
        ThingIsColumn = ThingIsColumn,
        ThingIsPlace = !ThingIsColumn && Catalog is "pg_constraint" or "pg_trigger",
    };
}
