using Kintsugi.Postgres.Checks.References;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>What the owner wants done about the orphans of one foreign key.</summary>
internal static class OrphanChoice
{
    /// <returns>The word of the configuration, or null where it names none; saying report is a choice too.</returns>
    public static string? Of(Finding finding, ConsistencyRules rules) =>
        RowGround.Says(finding, FactNames.Origin, "rule") || !RowGround.Says(finding, FactNames.Repair, "report")
        || rules.Constraints.Any(choice => choice.Constraint == finding.Target.Rule && choice.Table.Name is var name
            && ((choice.Table.Schema == finding.Target.Schema && name == finding.Target.Relation)
                || (RowGround.Says(finding, FactNames.RootSchema, choice.Table.Schema) && RowGround.Says(finding, FactNames.RootTable, name))))
            ? finding.Facts[FactNames.Repair] : null;
}
