using Kintsugi.Postgres.Checks;
using Kintsugi.Postgres.Checks.Storage;
using Kintsugi.Postgres.Repairs;
using Kintsugi.Postgres.Checks.Catalog;

namespace Kintsugi.Postgres;

/// <summary>The two lists: every check, and every repair, the gentlest of a fault class first.</summary>
public static class PostgresRegistry
{
    public static Registry Create() => new(Checks(), Repairs());

    private static IReadOnlyList<ICheck> Checks() =>
    [
        new SharedPagesCheck(TimeProvider.System),
        new PagesCheck(TimeProvider.System),
        new SharedCatalogCheck(),
        new CatalogCheck(),
        new HeapCheck(),
        new BTreeCheck(),
        new IndexStateCheck(),
        new EnforcementCheck(),
    ];

    private static IReadOnlyList<IRepair> Repairs() =>
    [
        new ReindexRepair(),
        new DropLeftoverIndexRepair(),
    ];
}
