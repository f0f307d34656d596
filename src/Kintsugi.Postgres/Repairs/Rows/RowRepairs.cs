using Kintsugi.Postgres.Repairs.Pages;
using Kintsugi.Postgres.Repairs.Rows.Parents;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>The repairs of what the rows say.</summary>
internal static class RowRepairs
{
    public static IReadOnlyList<IRepair> All(ConsistencyRules rules) =>
    [
        new UnhideParentRepair(rules, TimeProvider.System),
        new RecreateParentRepair(rules),
        new OrphanRepair(rules),
        new MisroutedRepair(),
        new FixValuesRepair(),
        new RecomputeRepair(TimeProvider.System),
        new ConflictRepair(rules),
        new DedupeRepair(rules),
        new SequenceRepair(),
        new EnforceRepair(),
    ];
}
