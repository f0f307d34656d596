using System.Globalization;
using Kintsugi.Pages.Heap;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Repairs.Rows;
using Kintsugi.Postgres.Repairs.Rows.Parents;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>
/// An enum's label that was deleted from pg_enum comes back with its OID, name and place in the order, as long as its deleted row is still on a
/// page of that catalog: every value that means it can be read again, and no row of any table is touched. A catalog row is written by hand only
/// with a person's approval and a copy of the cluster.
/// </summary>
public sealed class RestoreLabelRepair : IRepair
{
    private sealed record Label(uint Oid, uint Type, string Order, string Name);

    public string Id => "restore-label";
    public string Does => "puts an enum's deleted label back with the OID that the values still hold";
    public IReadOnlyList<FaultClass> Mends => [Faults.ValueNotInEnum];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (RowGround.Refusal(healing) is { } refusal)
            return refusal;
        var wanted = healing.Findings.SelectMany(finding => RowGround.List(finding, FactNames.Labels))
            .Select(oid => uint.Parse(oid, CultureInfo.InvariantCulture)).ToHashSet();
        if (wanted.Count == 0)
            return new Proposal.Refused("which labels are gone could not be read off the pages");
        if (!patient.Can.Superuser)
            return new Proposal.Refused("only a superuser can write system catalogs");
        var labels = await Deleted(patient, cancellationToken);
        var steps = new List<Step>();
        foreach (var oid in wanted.Order())
        {
            var found = labels.Where(label => label.Oid == oid).Distinct().ToList();
            if (found is not [var label])
                return new Proposal.Refused(found.Count == 0
                    ? $"nothing is left of the label with OID {oid} on the pages of pg_enum. If you know its name, a superuser with allow_system_table_mods "
                        + $"puts it back: INSERT INTO pg_enum (oid, enumtypid, enumsortorder, enumlabel) VALUES ({oid}, …)"
                    : $"the label with OID {oid} had several names or places ({string.Join(", ", found.Select(one => one.Name))}): a person must choose");
            if (await Obstacle(label, healing, patient, cancellationToken) is { } why)
                return new Proposal.Refused(why);
            steps.Add(CatalogMend.Edit(healing, "pg_enum", $"oid = {oid}",
                "INSERT INTO pg_catalog.pg_enum (oid, enumtypid, enumsortorder, enumlabel) VALUES "
                + $"({oid}, {label.Type}, {label.Order}, {Quote.Literal(label.Name)})", 1,
                $"its deleted row is still on a page of pg_enum, and values hold its OID"));
        }
        return new Proposal.Planned(new Plan(Id, steps)
        {
            Case = healing.Id,
            Alters = [healing.Target],
            Snapshot = SnapshotGrade.Cluster,
            NeedsApproval = "system catalogs are written by hand",
            Warnings = ["No row of any table is touched. Sessions that are open have the enum's old labels in memory until they end."],
        });
    }

    /// <summary>What is there now and stands against the label's return: its type is another, or its name or place is taken.</summary>
    private static async ValueTask<string?> Obstacle(Label label, HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        var rows = await patient.Session.InTransaction(Evidence.Settings(null), session => session.Rows("""
            SELECT pg_catalog.format_type(t.oid, -1), e.enumlabel::pg_catalog.text FROM pg_catalog.pg_type t
            LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid AND (e.enumlabel = $2 OR e.enumsortorder = $3::pg_catalog.text::pg_catalog.float4)
            WHERE t.oid = $1 AND t.typtype = 'e'
            """, row => (Type: row.GetString(0), Taken: row.IsDBNull(1) ? null : row.GetString(1)), cancellationToken, label.Type, label.Name, label.Order),
            cancellationToken);
        return rows is not [var row, ..] ? $"the label with OID {label.Oid} belonged to a type that is gone"
            : row.Taken is { } taken ? $"label {label.Name} of {row.Type} cannot come back: its name or its place in the order is taken by {taken} by now"
            : healing.Findings.All(finding => finding.Facts[FactNames.Type].Split(", ").Contains(row.Type)) ? null
            : $"the label with OID {label.Oid} belonged to {row.Type}, which is not the type of the column";
    }

    private static async ValueTask<IReadOnlyList<Label>> Deleted(Patient patient, CancellationToken cancellationToken)
    {
        using var pages = await PageSearch.Of(patient, cancellationToken);
        if (pages is not { IsCurrent: true } || patient.Relations.Find("pg_catalog", "pg_enum") is not { } catalog)
            return [];
        var tuples = new List<byte[]>();
        await pages.Tuples(catalog, (tuple, _) =>
        {
            if (HeapTupleHeader.Read(tuple) is { XmaxInvalid: false, IsLockedOnly: false })
                tuples.Add(tuple.ToArray());
        }, cancellationToken);
        var stored = await StoredRow.Of(catalog, patient.Session, cancellationToken);
        var endings = new Endings(patient.Session);
        var labels = new List<Label>();
        foreach (var tuple in tuples)
        {
            var head = HeapTupleHeader.Read(tuple);
            // A label whose ALTER TYPE was rolled back never was one.
            if (!head.IsFrozen && !head.XminCommitted && await endings.Of(head.Xmin, cancellationToken) != "committed")
                continue;
            if (await stored.Read(tuple, patient.Can.Major, new ToastedValues(null, pages), cancellationToken)
                is { Obstacle: null, Values: [{ } oid, { } type, { } order, { } name] })
                labels.Add(new Label(uint.Parse(oid, CultureInfo.InvariantCulture), uint.Parse(type, CultureInfo.InvariantCulture), order, name));
        }
        return labels;
    }
}
