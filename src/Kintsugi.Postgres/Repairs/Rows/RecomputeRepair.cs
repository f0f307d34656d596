using Kintsugi.Postgres.Checks.References;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Computes stored generated columns anew where most rows disagree, for then the expression or its functions changed. An isolated
/// disagreement is suspected damage of the base column, and both values are told instead.
/// </summary>
public sealed class RecomputeRepair : IRepair
{
    public string Id => "recompute-generated";
    public string Does => "computes a stored generated column anew";
    public IReadOnlyList<FaultClass> Mends => [Faults.GeneratedStale];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var (accused, refusal) = AccusedTable.Of(healing, patient);
        if (accused is null)
            return refusal!;
        var finding = accused.Finding;
        var bases = string.Join(", ", RowGround.List(finding, FactNames.BaseColumns));
        if (!RowGround.Says(finding, FactNames.Spread, "mass"))
            return new Proposal.Refused($"few rows disagree, so {bases} may be what is damaged, and to compute anew would seal that: "
                + $"{string.Join(" ", RowGround.List(finding, FactNames.Values).Take(5))}. Compare with an index, a standby or a backup, then set "
                + "the base column right; to set it to itself computes the generated one anew", Final: true);
        var columns = RowGround.List(finding, FactNames.Columns);
        if (accused.Violation is not { } violation || columns.Length != 1)
            return new Proposal.Refused("which column is stale was not told");
        var selection = new RowSelection(patient);
        await selection.Accuse(accused.Table, violation, RowFate.Set, accused.Role, cancellationToken);
        if (selection.Rows.Count == 0)
            return new Proposal.Refused("no row disagrees any more");
        var effects = await RowEffects.Look(selection, patient, cancellationToken);
        if ((selection.Obstacle ?? effects.Obstacle) is { } obstacle)
            return new Proposal.Refused(obstacle, Final: true);
        // The server skips generated columns of which no base column is assigned, also when they are set to DEFAULT (nodeModifyTable.c).
        var source = selection.Shape(0).Columns.FirstOrDefault(column =>
            RowGround.List(finding, FactNames.BaseColumns).Contains(column.Name) && !column.AlwaysIdentity && !column.Generated);
        if (source is null)
            return new Proposal.Refused("no column that it is made of can be assigned: drop the column and add it again", Final: true);
        var batch = accused.Batch() with { Assignments = [new Assignment(source.Name, source.Reference)] };
        return new Proposal.Planned(RowPlan.Make(Id, healing, accused.Table, selection, batch, accused.Rule,
            $"most rows disagree with the expression over {bases}: it changed since they were written", effects));
    }
}
