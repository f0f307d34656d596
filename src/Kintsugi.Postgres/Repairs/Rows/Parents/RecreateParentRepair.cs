using System.Globalization;
using System.Text.Json.Nodes;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Operating;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Repairs.Rows.Parents;

/// <summary>
/// Orphans whose parents lie in quarantine, or are dead or hidden and still on their pages: the parents come back, and theirs where these are gone
/// too. Where the owner chose recreate_parent, parents of which nothing is left are made new from their keys. It always waits for a person, for a
/// parent may have been deleted on purpose.
/// </summary>
public sealed class RecreateParentRepair(ConsistencyRules rules) : IRepair
{
    public string Id => "recreate-parent";
    public string Does => "brings back the parents of orphans from quarantine or from what is left of them on their pages";
    public IReadOnlyList<FaultClass> Mends => [Faults.RowOrphaned];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (healing.Findings.Count != 1 || RowGround.Unproven(healing) is not null)
            return new Proposal.Refused(RowGround.Unproven(healing)?.Reason ?? "several constraints in one case: heal them one by one");
        var finding = healing.Findings[0];
        var choice = OrphanChoice.Of(finding, rules);
        if (choice == "report")
            return new Proposal.Refused("the owner's rule says report");
        var keys = await ForeignKeyReader.Read(patient, cancellationToken);
        if (OrphanKeys.Accused(finding, keys) is not { } accused)
            return new Proposal.Refused("only parents of foreign keys that the schema declares are brought back");
        if (accused.Period)
            return new Proposal.Refused("which row a period needs cannot be told row by row");
        if (RowGround.Says(finding, FactNames.ParentProbe, "index") && finding.Facts.ContainsKey(FactNames.ParentSuspect))
            return new Proposal.Refused("an index still leads to the parents: heap and maps of the parent come first");
        using var pages = await PageSearch.Of(patient, cancellationToken);
        var why = await Unreadable(pages, patient, cancellationToken);
        var dead = why is null ? new DeadVersions(patient, pages!) : null;
        var parents = new LostParents(patient, keys, dead);
        await parents.Collect(accused, Orphans(accused, pages, patient), choice == "recreate_parent", cancellationToken);
        var rows = parents.Obstacle is null ? await parents.Ordered(cancellationToken) : [];
        if (parents.Obstacle is { } obstacle)
            return new Proposal.Refused(obstacle, Final: true);
        return rows.Count == 0
            ? new Proposal.Refused("nothing is left of the parents, neither in quarantine nor on their pages"
                + (why is null ? "" : $"; their pages were not looked at: {why}") + (dead is { Notes.Count: > 0 } ? $"; not used: {string.Join("; ", dead.Notes.Take(5))}" : ""))
            : await Propose(healing, finding, accused, parents, rows, patient, cancellationToken);
    }

    /// <summary>Why values cannot be read off the pages, or null.</summary>
    private static async ValueTask<string?> Unreadable(PageSearch? pages, Patient patient, CancellationToken cancellationToken) =>
        pages is not { IsCurrent: true } ? "that takes a superuser and pageinspect (kintsugi doctor --install-missing)"
        : (await patient.Session.Rows("SELECT pg_catalog.getdatabaseencoding()::pg_catalog.text", row => row.GetString(0), cancellationToken))[0] is var encoding
            && encoding != "UTF8" ? $"text in encoding {encoding} is not read from pages" : null;

    private static Seekers Orphans(ForeignKey key, PageSearch? pages, Patient patient) => new(OrphanKeys.From(key), key.Violation,
        async stop => pages is null ? null : await OrphanKeys.Wanted(key, pages, patient, stop));

    private async ValueTask<Proposal> Propose(
        HealingCase healing, Finding finding, ForeignKey key, LostParents parents, IReadOnlyList<ParentRow> rows, Patient patient,
        CancellationToken cancellationToken)
    {
        var tables = rows.Select(row => row.Table).DistinctBy(table => table.Oid).ToList();
        // pg_trigger.tgtype: 4 INSERT (catalog/pg_trigger.h).
        var effects = await RowEffects.Look([.. tables.Select(table => table.Oid)], 4, [.. parents.Warnings], patient, cancellationToken);
        if (effects.Obstacle is { } obstacle)
            return new Proposal.Refused(obstacle, Final: true);
        var words = tables.Select(table => $"{rows.Count(row => row.Table == table).ToString(CultureInfo.InvariantCulture)} into {Quote.Name(table)} ("
            + string.Join(", ", rows.Where(row => row.Table == table).Take(3).Select(row => row.Source)) + ")");
        var step = new Step(RecreateRowsStep.Name, $"INSERT {rows.Count} parent {(rows.Count == 1 ? "row" : "rows")}: {string.Join("; ", words)}")
        {
            Database = healing.Database,
            Lock = "Share",
            Why = $"rows of {Quote.Name(key.Child)} refer to them by {key.Name}",
            Grade = Grade.Reversible,
            Arguments = new Dictionary<string, string>
            {
                ["rule"] = finding.Target.Rule ?? "",
                ["rows"] = new JsonArray([.. rows.Select(row => row.ToJson())]).ToJsonString(),
                ["missing"] = parents.Missing,
            },
        };
        return new Proposal.Planned(new Plan(Id, [step])
        {
            Case = healing.Id,
            Alters = [.. tables.Select(table => healing.Target with { Schema = table.Schema, Relation = table.Name, Object = table.Name,
                ObjectSchema = table.Schema, Rule = null })],
            Snapshot = SnapshotGrade.Rows,
            RowsChanged = rows.Count,
            TableRows = tables[0].Rows,
            Warnings = effects.Warnings,
            NeedsApproval = (effects.NeedsApproval is { } other ? $"{other}; " : "")
                + $"{rows.Count} parent {(rows.Count == 1 ? "row" : "rows")} would be brought back, which somebody may have deleted on purpose",
        });
    }
}
