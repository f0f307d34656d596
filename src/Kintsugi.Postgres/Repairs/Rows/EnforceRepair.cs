using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Puts a constraint in force again: triggers enabled, NOT VALID validated, once no row stands against it. Off on purpose is common, so policy
/// says never until a person approves.
/// </summary>
public sealed class EnforceRepair : IRepair
{
    public string Id => "enforce-constraint";
    public string Does => "enables the triggers of a constraint, or validates it";
    public IReadOnlyList<FaultClass> Mends => [Faults.ConstraintUnenforced];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var (accused, refusal) = AccusedTable.Of(healing, patient);
        if (accused is null)
            return refusal!;
        var (name, kind) = (accused.Finding.Facts["name"], accused.Finding.Facts["kind"]);
        if (kind is "missing" or "declared")
            return new Proposal.Refused(kind == "missing"
                ? $"the triggers of {name} are gone: drop the constraint and add it again NOT VALID, then validate it"
                : $"{name} is declared NOT ENFORCED: that is the owner's word (ALTER TABLE … ALTER CONSTRAINT … ENFORCED changes it)", Final: true);
        if (kind != "trigger" && await Orphans(accused.Table, name, patient, cancellationToken) is { } orphans)
            return new Proposal.Refused(orphans, Final: true);
        var table = Quote.Name(accused.Table);
        IReadOnlyList<Step> steps = kind switch
        {
            "not-valid" => [Step(UnboundedSqlStep.Name, $"ALTER TABLE {table} VALIDATE CONSTRAINT {Quote.Identifier(name)}", "ShareUpdateExclusive")],
            "trigger" => [Step(SqlStep.Name, $"ALTER TABLE {table} ENABLE TRIGGER {Quote.Identifier(name)}", "ShareRowExclusive")],
            _ => [.. (await Disabled(accused.Table, name, patient, cancellationToken)).Select(sql => Step(SqlStep.Name, sql, "ShareRowExclusive"))],
        };
        return steps.Count == 0
            ? new Proposal.Refused($"{name} is in force by now")
            : new Proposal.Planned(new Plan(Id, steps) { Case = healing.Id, Alters = [healing.Target], Snapshot = SnapshotGrade.None });

        Step Step(string runner, string sql, string held) => new(runner, sql)
        {
            Database = healing.Database,
            Lock = held,
            Why = $"{name} holds nobody: {accused.Finding.Facts["state"]}",
            Grade = Grade.Reversible,
        };
    }

    /// <summary>Rows that stand against a foreign key, by the heaps alone: to switch it on over them would hide them.</summary>
    private static async ValueTask<string?> Orphans(Relation table, string name, Patient patient, CancellationToken cancellationToken)
    {
        foreach (var key in (await ForeignKeyReader.Read(patient, cancellationToken)).Where(key => key.Child.Oid == table.Oid && key.Name == name))
        {
            var found = await RowSearch.Find(key.Question([]), patient, cancellationToken);
            if (found.Untrusted is { } why)
                return $"the rows behind {name} could not be looked at: {why}";
            if (found.Rows > 0)
                return $"{found.Rows} orphans stand behind {name}: heal these first (row-orphaned)";
        }
        return null;
    }

    /// <summary>Only this constraint's own triggers, on both tables: others may be off on purpose.</summary>
    private static ValueTask<IReadOnlyList<string>> Disabled(
        Relation table, string name, Patient patient, CancellationToken cancellationToken) => patient.Session.Rows("""
        SELECT pg_catalog.format('ALTER TABLE %s ENABLE TRIGGER %I', t.tgrelid::pg_catalog.regclass, t.tgname)
        FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_trigger t ON t.tgconstraint = c.oid
        WHERE c.conrelid = $1 AND c.conname::pg_catalog.text = $2 AND t.tgenabled IN ('D', 'R') ORDER BY t.oid
        """, row => row.GetString(0), cancellationToken, table.Oid, name);
}
