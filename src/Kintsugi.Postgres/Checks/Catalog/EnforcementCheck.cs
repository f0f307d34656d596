using System.Data.Common;

namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>
/// Constraints that stand in the catalogs and hold nobody: triggers of foreign keys disabled or gone, NOT VALID, NOT ENFORCED
/// (18),
/// and the owner's own triggers left disabled after a bulk load. Whether rows already break them is the question of other checks.
/// </summary>
public sealed class EnforcementCheck : ICheck
{
    public string Id => "enforcement";
    public string Proves => "every declared constraint and trigger is in force";
    public Layer Layer => Layer.Reference;
    public Depth Depth => Depth.Quick;
    public IReadOnlyList<FaultClass> Finds => [Faults.ConstraintUnenforced];
    public Needs Needs { get; } = new();

    private sealed record Lapse(uint Table, string Name, string Kind, string State, string Definition);

    /// <summary>The whole answer comes from two reads of the catalogs: a piece per table carries its part of it.</summary>
    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var lapses = (await patient.Session.Rows(EnforcementSql.Lapses, Read, cancellationToken)).ToLookup(lapse => lapse.Table);
        var guarded = await patient.Session.Rows(EnforcementSql.Guarded, row => row.GetFieldValue<uint>(0), cancellationToken);
        return [.. guarded.Select(patient.Relations.Find).OfType<Relation>().Where(table => !table.IsCatalog)
            .Select(table => Eligible.Portion(table, patient) with
            {
                Weight = 0,
                StandsOn = [],
                Settled = table.Persistence == 't' ? Eligible.Settle(table, patient)
                    : Verdict.From([.. lapses[table.Oid].Select(lapse => ToFinding(lapse, table, patient))]),
            })];
    }

    public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken) =>
        ValueTask.FromResult(portion.Settled!);

    private static Lapse Read(DbDataReader row) =>
        new(row.GetFieldValue<uint>(0), row.GetString(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? ""
            : row.GetString(4));

    private static Finding ToFinding(Lapse lapse, Relation table, Patient patient) => new(
        Faults.ConstraintUnenforced,
        table.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database) with { Rule = lapse.Name },
        lapse.Kind == "trigger"
            ? $"expected trigger {lapse.Name} to fire, but it is {lapse.State}"
            : $"expected constraint {lapse.Name} to be enforced, but {lapse.State}: {lapse.Definition}")
    {
        Check = "enforcement",
        // What the owner declared is told, not held against the database.
        SeverityOverride = lapse.Kind is "trigger" or "declared" ? Severity.Info : null,
        Hint = lapse.Kind switch
        {
            "trigger" => "ALTER TABLE … ENABLE TRIGGER when it was left behind by a bulk load",
            "not-valid" => "look for rows that break it, then ALTER TABLE … VALIDATE CONSTRAINT",
            "declared" => "NOT ENFORCED is a declaration: ALTER TABLE … ALTER CONSTRAINT … ENFORCED when it should hold",
            "missing" => "its triggers are gone: drop the constraint and add it again, after a look for orphans",
            _ => "look for rows that break it, then ALTER TABLE … ENABLE TRIGGER ALL",
        },
        Facts = new Dictionary<string, string>
        {
            ["name"] = lapse.Name,
            ["kind"] = lapse.Kind,
            ["state"] = lapse.State,
            ["definition"] = lapse.Definition,
        },
    };
}
