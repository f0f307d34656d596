using Kintsugi.Postgres.Checks.References;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>The checks of what the rows say: references, then values.</summary>
internal static class RowChecks
{
    public static IReadOnlyList<ICheck> All(ConsistencyRules rules) =>
    [
        new ForeignKeyCheck(rules),
    ];
}
