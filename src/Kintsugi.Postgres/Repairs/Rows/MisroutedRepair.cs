using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Moves rows into the partition that their key belongs to, by an UPDATE through the root that changes nothing else. Before 15 that is a
/// DELETE and an INSERT to the triggers of references (release notes 15, E.1.3.3), so it refuses where these would act.
/// </summary>
public sealed class MisroutedRepair : IRepair
{
    public string Id => "move-misrouted";
    public string Does => "moves rows into the partition that they belong to";
    public IReadOnlyList<FaultClass> Mends => [Faults.RowMisrouted];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var (accused, refusal) = AccusedTable.Of(healing, patient);
        if (accused is null)
            return refusal!;
        if (accused.Violation is not { } violation || patient.Relations.Find(
            accused.Finding.Facts.GetValueOrDefault(FactNames.RootSchema), accused.Finding.Facts.GetValueOrDefault(FactNames.RootTable)) is not { } root)
            return new Proposal.Refused("the root of the partitioned table is not in the catalog");
        if (patient.Can.Major < 15 && await ActingReferences(root, accused.Table, patient, cancellationToken) is { Count: > 0 } acting)
            return new Proposal.Refused($"on PostgreSQL {patient.Can.Major} a move fires ON DELETE of {string.Join(", ", acting)}: drop these constraints, "
                + "move the rows, and add them again; or move the rows after an upgrade to 15", Final: true);
        var selection = new RowSelection(patient);
        await selection.Accuse(accused.Table, violation, RowFate.Move, accused.Role, cancellationToken);
        if (selection.Rows.Count == 0)
            return new Proposal.Refused("no row is misrouted any more");
        var effects = await RowEffects.Look(selection, patient, cancellationToken);
        if ((selection.Obstacle ?? effects.Obstacle) is { } obstacle)
            return new Proposal.Refused(obstacle, Final: true);
        var keys = await KeyColumns(accused.Table, patient, cancellationToken);
        var columns = selection.Shape(0).Columns.Where(column => !column.Generated && !column.AlwaysIdentity).ToList();
        var batch = accused.Batch() with
        {
            Root = Quote.Name(root),
            // Before 14 only an assignment to the partition key routes a row; where the key is an expression, any column may be in it.
            Assignments = [.. columns.Where(column => keys.Length == 0 || keys.Contains(column.Name))
                .Select(column => new Assignment(column.Name, column.Reference))],
        };
        return new Proposal.Planned(RowPlan.Make(Id, healing, accused.Table, selection, batch, accused.Rule,
            "queries that look into the right partition alone do not see these rows", effects));
    }

    /// <summary>The partition key's columns on every level; empty where an expression is among them.</summary>
    private static async ValueTask<string[]> KeyColumns(Relation leaf, Patient patient, CancellationToken cancellationToken)
    {
        var columns = await patient.Session.Rows("""
            SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_partition_ancestors($1::pg_catalog.regclass) r
            JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = r.relid::pg_catalog.oid
            CROSS JOIN LATERAL pg_catalog.unnest(p.partattrs::pg_catalog.int2[]) k(number)
            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.number AND k.number > 0
            """, row => row.IsDBNull(0) ? null : row.GetString(0), cancellationToken, leaf.Oid);
        return columns.Contains(null) ? [] : [.. columns.OfType<string>().Distinct()];
    }

    private static ValueTask<IReadOnlyList<string>> ActingReferences(
        Relation root, Relation leaf, Patient patient, CancellationToken cancellationToken) => patient.Session.Rows("""
        SELECT DISTINCT c.conname::pg_catalog.text FROM pg_catalog.pg_constraint c
        WHERE c.contype = 'f' AND c.confrelid IN ($1, $2) AND c.confdeltype IN ('c', 'n', 'd') ORDER BY 1
        """, row => row.GetString(0), cancellationToken, root.Oid, leaf.Oid);
}
