using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Rows whose values break a rule, by the owner's choice: the value nulled, set to its default or to an expression, and the row flagged; or the
/// whole row put into quarantine. Without a choice nothing is done but told, except for text that is not valid in the encoding.
/// </summary>
public sealed class FixValuesRepair : IRepair
{
    private const string UsualFlag = "needs_review";

    public string Id => "fix-values";
    public string Does => "nulls, replaces or quarantines what breaks a rule, as the owner chose; the old row is kept";
    public IReadOnlyList<FaultClass> Mends =>
        [Faults.CheckViolated, Faults.NullForbidden, Faults.ValueNotInEnum, Faults.JsonInvalid, Faults.TextInvalid, Faults.RuleViolated];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var (accused, refusal) = AccusedTable.Of(healing, patient);
        if (accused is null)
            return refusal!;
        var finding = accused.Finding;
        var choice = finding.Facts.GetValueOrDefault(FactNames.Repair, "report");
        if (finding.Fault == Faults.ValueNotInEnum && RowGround.Says(finding, FactNames.Origin, "declared"))
            return new Proposal.Refused("the label's row is gone from pg_enum: put back with the same OID it brings every value back; "
                + "no row is touched before that", Final: true);
        if (choice == "report")
        {
            if (finding.Fault != Faults.TextInvalid)
                return new Proposal.Refused(Options(finding));
            choice = "mend-text";
        }
        if (choice is "delete" or "recreate_parent")
            return new Proposal.Refused($"{choice} is an answer for foreign keys. {Options(finding)}", Final: true);
        var columns = await Columns(accused, patient, cancellationToken);
        var selection = new RowSelection(patient);
        if (await Accuse(selection, accused, choice, patient, cancellationToken) is { } why)
            return new Proposal.Refused(why);
        if (selection.Rows.Count == 0 && selection.Obstacle is null)
            return new Proposal.Refused("no row breaks the rule any more");
        if (choice == "quarantine")
            await selection.Close(cancellationToken);
        var effects = await RowEffects.Look(selection, patient, cancellationToken);
        var (assignments, impossible) = choice == "quarantine" ? ([], null) : Assign(choice, columns, finding, selection.Shape(0));
        if ((selection.Obstacle ?? effects.Obstacle ?? impossible) is { } obstacle)
            return new Proposal.Refused(obstacle, Final: true);
        var batch = accused.Batch() with
        {
            Assignments = assignments,
            Result = finding.Facts.GetValueOrDefault(FactNames.Suspect, ""),
        };
        return new Proposal.Planned(RowPlan.Make(Id, healing, accused.Table, selection, batch, accused.Rule,
            "the rows break the rule; as they were they are kept in quarantine", effects) with
        {
            ChosenByOwner = choice != "mend-text",
        });
    }

    /// <summary>What the owner can say, word for word, and what each answer does.</summary>
    private static string Options(Finding finding)
    {
        var declared = RowGround.Says(finding, FactNames.Origin, "declared");
        var isNull = finding.Fault == Faults.NullForbidden;
        var name = (isNull ? finding.Target.Column : finding.Facts.GetValueOrDefault(FactNames.Constraint)) ?? finding.Target.Rule ?? finding.Target.Name;
        var answers = new List<string> { "quarantine (the whole row, with what refers to it, goes to quarantine)", "set_default (the column's default)", "{ set: \"SQL expression\" }" };
        if (!isNull)
            answers.Insert(1, $"{(declared ? "set_null" : "nullify")} (the value is emptied; not in a NOT NULL column)");
        return $"nothing is done about {finding.Fault.Id} without the owner's word, for what the values should be stands nowhere. In the configuration (-c FILE): "
            + (declared ? OwnersChoice.Of(finding, name, "ANSWER") : $"consistency: … repair: ANSWER in the entry of {name}")
            + $", with ANSWER one of {string.Join("; ", answers)}. Then kintsugi heal again. The old rows are kept whichever it is: kintsugi quarantine show, kintsugi undo. By hand nothing is "
            + "lost either: correct the rows, or the rule, whichever is wrong";
    }

    /// <summary>The columns that the rule is about: told by the finding, or those of the CHECK constraint.</summary>
    private static async ValueTask<IReadOnlyList<string>> Columns(AccusedTable accused, Patient patient, CancellationToken cancellationToken) =>
        RowGround.List(accused.Finding, FactNames.Columns) is { Length: > 0 } told ? told : await patient.Session.Rows("""
            SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_constraint c
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
            WHERE c.conrelid = $1 AND c.conname::pg_catalog.text = $2 ORDER BY a.attnum
            """, row => row.GetString(0), cancellationToken, accused.Table.Oid, accused.Rule);

    private static async ValueTask<string?> Accuse(
        RowSelection selection, AccusedTable accused, string choice, Patient patient, CancellationToken cancellationToken)
    {
        var fate = choice == "quarantine" ? RowFate.Remove : RowFate.Set;
        if (accused.Violation is { } violation)
        {
            await selection.Accuse(accused.Table, violation, fate, accused.Role, cancellationToken);
            return null;
        }
        if (!accused.Finding.Facts.ContainsKey(FactNames.Suspect))
            return accused.Finding.Fault == Faults.TextInvalid
                ? "text in an encoding other than UTF8 is not rewritten: compare the rows that the finding names with a backup, and set them by hand"
                : "which rows are bad cannot be asked row by row; a person must look";
        var (places, why) = await BadDocuments.Find(accused, patient, cancellationToken);
        if (why is null)
            await selection.Accuse(accused.Table, $"{Quote.Identifier(accused.Table.Name)}.ctid = ANY ({Quote.Literal(places)}::pg_catalog.tid[])",
                fate, null, cancellationToken);
        return why;
    }

    private static (IReadOnlyList<Assignment> Assignments, string? Impossible) Assign(
        string choice, IReadOnlyList<string> columns, Finding finding, TableShape shape)
    {
        if (columns.Count != 1 || shape.Columns.FirstOrDefault(column => column.Name == columns[0]) is not { } column)
            return ([], $"{choice} needs one column, and the rule is about {columns.Count} ({string.Join(", ", columns)}): choose quarantine");
        if (column.Generated)
            return ([], $"column {column.Name} is generated: choose quarantine");
        if (choice == "mend-text" && (column.InputType.EndsWith("[]", StringComparison.Ordinal) || column.InputType is "json" or "xml" or "name"
            || RowGround.Says(finding, FactNames.Inside, "true")))
            return ([], $"the bytes inside a value of type {column.InputType} are not replaced: set column {column.Name} of the rows that the finding names "
                + "by hand, or from a backup");
        if (choice is "nullify" or "set_null" && column.NotNull)
            return ([], $"{choice} is not possible: column {column.Name} is NOT NULL. Choose another repair");
        var assignments = new List<Assignment>
        {
            new(column.Name, choice switch
            {
                "nullify" or "set_null" => "NULL",
                "set_default" => "DEFAULT",
                "set" => $"({finding.Facts[FactNames.RepairSql]})",
                _ => MendedText.Of(column),
            }),
        };
        var named = finding.Facts.GetValueOrDefault(FactNames.Flag);
        var flag = shape.Columns.FirstOrDefault(other => other.Name == (named ?? UsualFlag) && other.InputType == "boolean" && !other.Generated);
        if (flag is null && named is not null)
            return ([], $"the rule names {named} as its flag, and {shape.Table.Quoted} has no boolean column of that name");
        if (flag is not null && flag.Name != column.Name)
            assignments.Add(new Assignment(flag.Name, "true"));
        return (assignments, choice is "nullify" && RowGround.Says(finding, FactNames.NullsAllowed, "false")
            ? "nullify contradicts nulls: forbidden of the same rule; choose another repair" : null);
    }
}
