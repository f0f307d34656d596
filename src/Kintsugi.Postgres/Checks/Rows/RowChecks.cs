using Kintsugi.Postgres.Checks.Owner;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Values;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Rows;

/// <summary>The checks of what the rows say: references, then values.</summary>
internal static class RowChecks
{
    public static IReadOnlyList<ICheck> All(ConsistencyRules rules) =>
    [
        new ForeignKeyCheck(rules),
        new PartitionBoundCheck(),
        new CheckConstraintCheck(rules),
        new GeneratedCheck(),
        new EnumValueCheck(),
        new TextEncodingCheck(),
        new SequenceCheck(),
        new AllowedTextCheck(rules),
        new JsonSchemaCheck(rules),
        new SqlRuleCheck(rules),
    ];
}
