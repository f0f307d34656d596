namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>Probes that are asked together, because they read the same catalog.</summary>
internal sealed record CatalogPortion(Target Target, IReadOnlyList<CatalogProbe> Probes) : Portion(Target);
