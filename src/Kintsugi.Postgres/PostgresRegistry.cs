using Kintsugi.Postgres.Checks;
using Kintsugi.Postgres.Repairs;

namespace Kintsugi.Postgres;

/// <summary>The two lists: every check, and every repair, the gentlest of a fault class first.</summary>
public static class PostgresRegistry
{
    public static Registry Create() => new(Checks(), Repairs());

    private static IReadOnlyList<ICheck> Checks() =>
    [
        new HeapCheck(),
        new BTreeCheck(),
        new IndexStateCheck(),
    ];

    private static IReadOnlyList<IRepair> Repairs() =>
    [
        new ReindexRepair(),
        new DropLeftoverIndexRepair(),
    ];
}
