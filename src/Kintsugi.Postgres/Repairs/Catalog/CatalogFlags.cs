using System.Globalization;
using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>
/// A flag or count that says that there is nothing, although the things are there, so that nobody maintains, fires, applies, checks or reads them.
/// The other way round the things may be what is lost, and nothing is decided here.
/// </summary>
internal static class CatalogFlags
{
    /// <summary>By rule: the catalog, the condition under which the flag denies what is there, and the assignment; {0} is the relation.</summary>
    private static readonly Dictionary<string, (string Catalog, string Denies, string Set)> Edits = new()
    {
        ["flag-relhasindex"] = ("pg_class", "NOT relhasindex", "relhasindex = true"),
        ["flag-relhastriggers"] = ("pg_class", "NOT relhastriggers", "relhastriggers = true"),
        ["flag-relhasrules"] = ("pg_class", "NOT relhasrules", "relhasrules = true"),
        ["flag-relhassubclass"] = ("pg_class", "NOT relhassubclass", "relhassubclass = true"),
        ["flag-relchecks"] = ("pg_class", $"relchecks < {Checks}", $"relchecks = {Checks}"),
        ["partition-bound"] = ("pg_class", "NOT relispartition AND relpartbound IS NOT NULL", "relispartition = true"),
        ["default-missing"] = ("pg_attribute",
            "NOT atthasdef AND EXISTS (SELECT FROM pg_catalog.pg_attrdef d WHERE d.adrelid = attrelid AND d.adnum = attnum)", "atthasdef = true"),
    };

    private const string Checks =
        "(SELECT pg_catalog.count(*) FROM pg_catalog.pg_constraint k WHERE k.conrelid = {0} AND k.contype = 'c')";

    public static async ValueTask<CatalogMend?> Mend(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (!CatalogRepair.AllAre(healing, Edits.ContainsKey))
            return null;
        var steps = new List<Step>();
        foreach (var finding in healing.Findings)
        {
            var (rule, oid) = (finding.Facts["rule"], CatalogRepair.Oid(finding));
            if (patient.Relations.Find(oid) is not { } table)
                return new CatalogMend.Unknown($"{finding.Target.Name} is not in the catalog any more");
            var (catalog, denies, set) = Edits[rule];
            (denies, set) = (Of(denies, oid), Of(set, oid));
            var where = (catalog == "pg_class" ? $"oid = {oid}" : $"attrelid = {oid} AND attname = {Quote.Literal(finding.Target.Column ?? "")}")
                + $" AND {denies}";
            if (!(await patient.Session.Rows($"SELECT EXISTS (SELECT FROM pg_catalog.{catalog} WHERE {where})", row => row.GetBoolean(0),
                cancellationToken))[0])
                return null;
            steps.Add(CatalogMend.Edit(healing, catalog, where, $"UPDATE pg_catalog.{catalog} SET {set} WHERE {where}", 1,
                $"{table.Name} has them; only the flag says otherwise"));
            // Writes have passed the indexes by for as long as the flag was lost.
            if (rule == "flag-relhasindex")
                steps.AddRange(patient.Relations.IndexesOf(oid).Where(index => index.Kind == 'i')
                    .Select(index => CatalogMend.Reindex(healing, Quote.Name(index))));
        }
        return new CatalogMend.Of(steps,
            "What was written while the flag was lost was not checked: a unique index whose rebuild fails has found duplicates, and the checks of rows "
            + "find the rest.");
    }

    private static string Of(string sql, uint relation) =>
        sql.Replace("{0}", relation.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
}
