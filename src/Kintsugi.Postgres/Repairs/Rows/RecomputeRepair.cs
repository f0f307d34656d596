using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Repairs.Values;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Computes stored generated columns anew where most rows disagree, for then the expression or its functions changed. An isolated
/// disagreement is suspected damage of the base column, and both values are told instead, unless what is stored elsewhere proves the base column
/// right: then a person is shown that, and approves.
/// </summary>
public sealed class RecomputeRepair(TimeProvider clock) : IRepair
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
        var columns = RowGround.List(finding, FactNames.Columns);
        if (accused.Violation is not { } violation || columns.Length != 1)
            return new Proposal.Refused("which column is stale was not told");
        var mass = RowGround.Says(finding, FactNames.Spread, "mass");
        var (witnesses, why) = mass ? default : await new StaleColumn(accused, columns[0], RowGround.List(finding, FactNames.BaseColumns), patient, clock).Attest(cancellationToken);
        if (!mass && witnesses is null)
            return new Proposal.Refused($"few rows disagree, so {bases} may be what is damaged, and to compute anew would seal that: "
                + $"{string.Join(" ", RowGround.List(finding, FactNames.Values).Take(5))} ({why}). Compare with an index, a standby or a backup, then set "
                + "the base column right; to set it to itself computes the generated one anew", Final: true);
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
        return new Proposal.Planned(Made(healing, accused, selection, batch, effects, witnesses));
    }

    /// <param name="witnesses">Null where most rows disagree.</param>
    private Plan Made(HealingCase healing, AccusedTable accused, RowSelection selection, RowBatch batch, RowEffects effects, IReadOnlyList<string>? witnesses)
    {
        var bases = string.Join(", ", RowGround.List(accused.Finding, FactNames.BaseColumns));
        var plan = RowPlan.Make(Id, healing, accused.Table, selection, batch, accused.Rule, witnesses is null
            ? $"most rows disagree with the expression over {bases}: it changed since they were written"
            : $"{string.Join(", ", witnesses)} agree with {bases} as it is: what is stored in the generated column is wrong", effects);
        return witnesses is null ? plan : plan with
        {
            NeedsApproval = plan.NeedsApproval ?? $"few rows disagree ({string.Join(" ", RowGround.List(accused.Finding, FactNames.Values).Take(5))}); "
                + $"{string.Join(", ", witnesses)} speak for {bases} as it is, and no single bit of it would explain what is stored",
        };
    }
}
