using System.Globalization;

namespace Kintsugi.Postgres.Checks.Catalog;

/// <summary>Turns rows of the catalogs into findings that name the object that a person knows.</summary>
internal static class CatalogFindings
{
    /// <summary>Names of a relation whose row in pg_class is gone or whose schema is: from its row type, its constraint, its
    /// dependencies.</summary>
    private const string TracesSql = """
        SELECT coalesce((SELECT c.relname FROM pg_catalog.pg_class c WHERE c.oid = $1),
                        (SELECT t.typname FROM pg_catalog.pg_type t WHERE t.typrelid = $1 LIMIT 1),
                        (SELECT k.conname FROM pg_catalog.pg_constraint k WHERE k.conindid = $1
                            AND k.contype IN ('p', 'u', 'x') LIMIT 1))::pg_catalog.text,
               coalesce((SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.oid = $1),
                        (SELECT n.nspname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
                            WHERE t.typrelid = $1 LIMIT 1),
                        (SELECT n.nspname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_namespace n ON n.oid = d.refobjid
                         WHERE d.classid = 1259 AND d.objid = $1 AND d.refclassid = 2615 LIMIT 1))::pg_catalog.text
        """;

    private const int MaxExamples = 5;

    public static async ValueTask<IReadOnlyList<Finding>> Of(
        CatalogProbe probe, IReadOnlyList<CatalogRow> rows, Patient patient, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var group in rows.GroupBy(row => (row.Relation, Thing: probe.ThingIsColumn || probe.ThingIsPlace ? row.Thing
            : "")))
        {
            var target = await Place(probe, group.Key.Relation, patient, cancellationToken) with
            {
                Rule = probe.ThingIsPlace ? $"{probe.Id} {group.Key.Thing}" : probe.Id,
                Column = probe.ThingIsColumn ? group.Key.Thing : null,
            };
            findings.Add(Finding(probe, target, [.. group]));
        }
        return findings;
    }

    private static Finding Finding(CatalogProbe probe, Target target, IReadOnlyList<CatalogRow> rows)
    {
        var first = rows[0];
        var said = rows.Select(row => probe.Say(row.Thing, row.Words)).Distinct().ToList();
        var facts = new Dictionary<string, string>(probe.Facts)
        {
            ["catalog"] = probe.Catalog,
            ["rule"] = probe.Id,
            ["thing"] = first.Thing,
            ["key"] = first.Words,
        };
        if (first.Relation != 0)
            facts["oid"] = first.Relation.ToString(CultureInfo.InvariantCulture);
        if (first.Place is not null)
            facts["ctid"] = string.Join(' ', rows.Take(100).Select(row => row.Place));
        if ((first.Cause ?? probe.Cause?.Invoke(first.Words)) is { } cause)
        {
            facts["cause"] = cause;
            facts["story"] = $"the system catalogs contradict each other over {cause}";
        }
        return new Finding(probe.Fault, target, string.Join("; ", said.Take(MaxExamples)) + (said.Count > MaxExamples
            ? $" and {said.Count - MaxExamples} more" : ""))
        {
            SeverityOverride = probe.Severity,
            Rows = rows.Count,
            Hint = probe.Fault == Faults.StatisticsCorrupt
                ? "ANALYZE the table: statistics are derived from it"
                : "take a snapshot of the cluster before anything changes the catalogs: kintsugi snapshots create; then see "
                    + "kintsugi plan",
            Facts = facts,
        };
    }

    private static async ValueTask<Target> Place(CatalogProbe probe, uint oid, Patient patient,
        CancellationToken cancellationToken)
    {
        var catalog = new Target
        {
            Server = patient.Can.SystemIdentifier, Database = patient.Relations.Database, Kind = TargetKind.Catalog,
            Schema = "pg_catalog", Relation = probe.Catalog,
        };
        if (oid == 0)
            return catalog;
        if (patient.Relations.Find(oid) is { } relation && patient.Relations.Find(relation.TableOid) is { Schema: not "?" }
            && relation.Schema != "?")
            return relation.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database);
        var traces = await patient.Session.Rows(TracesSql,
            row => (Name: row.IsDBNull(0) ? null : row.GetString(0), Schema: row.IsDBNull(1) ? null : row.GetString(1)),
                cancellationToken, oid);
        return traces is [{ Name: { } name, Schema: var schema }]
            ? catalog with { Kind = patient.Relations.Find(oid)?.Index is null ? TargetKind.Table : TargetKind.Index,
                Schema = schema ?? "?", Relation = name }
            : catalog;
    }
}
