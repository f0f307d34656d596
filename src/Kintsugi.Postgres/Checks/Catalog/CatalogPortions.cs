namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>All rules that fit this server, as pieces: one for a catalog's references, one for its keys, one for each rule of its
/// own.</summary>
internal static class CatalogPortions
{
    public static async ValueTask<IReadOnlyList<Portion>> Of(Patient patient, bool shared, CancellationToken cancellationToken)
    {
        var shape = await CatalogShape.Read(patient, cancellationToken);
        var portions = new List<Portion>();
        portions.AddRange(CatalogReferences.Of(shape).Where(reference => shape.IsShared(reference.Catalog) == shared)
            .GroupBy(reference => reference.Catalog)
            .Select(group => Portion(patient, group.Key, "references", [.. group.Select(reference => Probe(reference, shape))])));
        portions.AddRange(shape.Keys.Where(key => key.Unique && shape.IsShared(key.Catalog) == shared)
            .GroupBy(key => key.Catalog)
            .Select(group => Portion(patient, group.Key, "keys", [.. group.Select(key => KeyProbes.Duplicates(key, shape))])));
        var own = shared ? SharedRules.All
            : RelationRules.All.Concat(IndexRules.All).Concat(TypeRules.All).Concat(ConstraintRules.All)
            .Concat(AgreementRules.All).Concat(DerivationRules.All).Concat(ColumnRules.All).Concat(DependencyRules.All).Concat(HorizonRules.All).Concat(StatisticsRules.All);
        portions.AddRange(own.Where(rule => rule.Fits(shape)).Select(rule => Portion(patient, rule.Catalog, rule.Id,
            [rule.Probe()])));
        portions.AddRange(LetterRules.All.Where(rule => !shared && rule.Fits(shape)).GroupBy(rule => rule.Catalog)
            .Select(group => Portion(patient, group.Key, "letters", [.. group.Select(rule => rule.Probe())])));
        portions.AddRange(DependencyProbes.Of(shape, shared).GroupBy(probe => probe.Catalog)
            .Select(group => Portion(patient, group.Key, "objects", [.. group])));
        return portions;
    }

    private static CatalogPortion Portion(Patient patient, string catalog, string rule, IReadOnlyList<CatalogProbe> probes) =>
        new(new Target
        {
            Server = patient.Can.SystemIdentifier, Database = patient.Relations.Database, Kind = TargetKind.Catalog,
            Schema = "pg_catalog", Relation = catalog, Rule = rule,
        }, probes);

    private static CatalogProbe Probe(CatalogReference reference, CatalogShape shape) =>
        new(reference.Id, reference.Catalog, reference.Sql(shape),
            (thing, key) => $"{reference.Id} of {thing} refers to ({key}) in {reference.Refers}, which has no such row")
        {
            Cause = key => $"{reference.Refers} ({key})",
            ThingIsColumn = reference.Catalog == "pg_attribute",
            ThingIsPlace = reference.Catalog is "pg_constraint" or "pg_trigger" or "pg_policy" or "pg_rewrite" or "pg_statistic_ext",
            Facts = new Dictionary<string, string> { ["column"] = reference.Columns[^1], ["refers"] = reference.Refers },
        };
}
