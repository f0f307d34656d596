using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Orphans of a foreign key, by the owner's choice for that constraint; without one, rows of a declared and enforced constraint go to
/// quarantine together with what refers to them. Never where the parent may be hidden or lost: one hidden parent must not cost a child.
/// </summary>
public sealed class OrphanRepair(ConsistencyRules rules) : IRepair
{
    public string Id => "quarantine-orphans";
    public string Does => "moves rows without a parent into quarantine, or gives them what the owner chose";
    public IReadOnlyList<FaultClass> Mends => [Faults.RowOrphaned];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (RowGround.Refusal(healing) is { } refusal)
            return refusal;
        if (healing.Findings.Count != 1)
            return new Proposal.Refused("several constraints in one case: heal them one by one");
        var finding = healing.Findings[0];
        if (patient.Relations.Find(finding.Target.ObjectSchema ?? finding.Target.Schema, finding.Target.Object ?? finding.Target.Relation) is not { } table)
            return new Proposal.Refused($"{finding.Target.Name} is not in the catalog any more");
        var word = OrphanChoice.Of(finding, rules);
        var chosen = word is not null;
        var choice = word ?? "quarantine";
        if (choice == "report")
            return new Proposal.Refused("the owner's rule says report: nothing is done about these rows", Final: true);
        if (!chosen && Unasked(finding) is { } why)
            return new Proposal.Refused(why);
        return await Propose(healing, finding, table, choice, chosen, patient, cancellationToken);
    }

    /// <summary>Orphans that are legal by the schema: not repaired unless the owner asks.</summary>
    private static string? Unasked(Finding finding) =>
        RowGround.Says(finding, FactNames.Enforced, "false")
            ? $"{finding.Target.Rule} is NOT ENFORCED: such rows are legal. Name a repair for it under consistency.constraints if you want one"
            : null;

    private async ValueTask<Proposal> Propose(
        HealingCase healing, Finding finding, Relation table, string choice, bool chosen, Patient patient, CancellationToken cancellationToken)
    {
        var violation = finding.Facts[FactNames.Violation];
        var leaves = choice is "quarantine" or "delete";
        var columns = RowGround.List(finding, FactNames.Columns);
        var selection = new RowSelection(patient);
        await selection.Accuse(table, violation, leaves ? RowFate.Remove : RowFate.Set, null, cancellationToken);
        if (choice == "recreate_parent")
            return new Proposal.Refused("the owner chose to make the parents again, and nothing else is done with their children", Final: true);
        if (selection.Rows.Count == 0 && selection.Obstacle is null)
            return new Proposal.Refused("no orphan is left");
        if (leaves)
            await selection.Close(cancellationToken);
        var effects = await RowEffects.Look(selection, patient, cancellationToken);
        if ((selection.Obstacle ?? effects.Obstacle ?? Impossible(choice, columns, selection)) is { } obstacle)
            return new Proposal.Refused(obstacle, Final: true);
        var parent = Quote.Name(finding.Facts[FactNames.ParentSchema], finding.Facts[FactNames.ParentTable]);
        var batch = new RowBatch
        {
            Tables = [],
            Rows = [],
            Violation = violation,
            OwnersCode = false,
            // A declared key has a unique index on the parent. Of a period the parents are many rows: which of them an index left out is not seen by one
            // that it finds. And rows that stay are proven by the whole parent after the change, once a batch.
            IndexMayAcquit = leaves && RowGround.Says(finding, FactNames.Origin, "declared") && !RowGround.Says(finding, FactNames.ParentProbe, "nothing"),
            Locks = [parent],
            Assignments = leaves ? [] : [.. columns.Select(column => new Assignment(column, choice == "set_null" ? "NULL" : "DEFAULT"))],
        };
        var plan = RowPlan.Make(Id, healing, table, selection, batch, finding.Target.Rule ?? "",
            $"their parents in {parent} do not exist; the rows as they were are kept in quarantine", effects);
        if (choice == "delete")
            plan = Deletion.Of(plan);
        return new Proposal.Planned(plan with
        {
            ChosenByOwner = chosen,
            Warnings = [.. plan.Warnings, .. chosen ? [] : Gentler(finding, columns, selection)],
            NeedsApproval = plan.NeedsApproval ?? Unsearched(finding, parent) ?? (!chosen && RowGround.Says(finding, FactNames.Validated, "false")
                ? $"{finding.Target.Rule} is NOT VALID: these rows may have been there before it, and on purpose" : null),
        });
    }

    /// <summary>Where the reference may be empty, the row itself can stay, and all that refers to it.</summary>
    private static IEnumerable<string> Gentler(Finding finding, IReadOnlyList<string> columns, RowSelection selection)
    {
        var shape = selection.Shape(0);
        if (!shape.Columns.Any(column => columns.Contains(column.Name) && (column.NotNull || column.Generated)))
            yield return $"the reference may be empty: with {OwnersChoice.Of(finding, finding.Target.Rule ?? "", "set_null")} in the configuration (-c FILE) the rows stay, "
                + "and only that value goes to quarantine";
    }

    /// <summary>One hidden parent must not cost a child, and a rule of the owner is no search for it.</summary>
    private static string? Unsearched(Finding finding, string parent) => RowGround.Says(finding, FactNames.ParentProbe, "nothing")
        ? $"{finding.Target.Rule} refers by a period: whether the periods that are missing are hidden or lost on the pages of {parent} cannot be searched for. "
            + "Look for them in a backup first" : null;

    private static string? Impossible(string choice, IReadOnlyList<string> columns, RowSelection selection)
    {
        if (choice == "set")
            return "an expression gives values, not parents: choose quarantine, set_null, set_default or recreate_parent";
        if (choice is not ("set_null" or "set_default"))
            return null;
        var shape = selection.Shape(0);
        if (choice == "set_null" && shape.Columns.FirstOrDefault(column => column.NotNull && columns.Contains(column.Name)) is { } forbidden)
            return $"set_null is not possible: column {forbidden.Name} is NOT NULL. Choose quarantine or set_default";
        return shape.Columns.FirstOrDefault(column => column.Generated && columns.Contains(column.Name)) is { } generated
            ? $"column {generated.Name} is generated: choose quarantine" : null;
    }
}
