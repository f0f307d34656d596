using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Postgres.Repairs.Catalog;

/// <summary>relhasindex, relhastriggers, relhasrules: false although the things are there, so that nobody maintains, fires or applies them.</summary>
internal static class CatalogFlags
{
    public static ValueTask<CatalogMend?> Mend(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (!CatalogRepair.AllAre(healing, rule => rule is "flag-relhasindex" or "flag-relhastriggers" or "flag-relhasrules"))
            return ValueTask.FromResult<CatalogMend?>(null);
        var steps = new List<Step>();
        foreach (var finding in healing.Findings)
        {
            var (flag, oid) = (finding.Facts["rule"]["flag-".Length..], CatalogRepair.Oid(finding));
            if (patient.Relations.Find(oid) is not { } table)
                return ValueTask.FromResult<CatalogMend?>(new CatalogMend.Unknown($"{finding.Target.Name} is not in the catalog any more"));
            var where = $"oid = {oid} AND NOT {flag}";
            steps.Add(CatalogMend.Edit(healing, "pg_class", where, $"UPDATE pg_catalog.pg_class SET {flag} = true WHERE {where}", 1,
                $"{table.Name} has them; only the flag says otherwise"));
            // Writes have passed the indexes by for as long as the flag was lost.
            if (flag == "relhasindex")
                steps.AddRange(patient.Relations.IndexesOf(oid).Where(index => index.Kind == 'i')
                    .Select(index => CatalogMend.Reindex(healing, Quote.Name(index))));
        }
        return ValueTask.FromResult<CatalogMend?>(new CatalogMend.Of(steps,
            "What was written while the flag was lost was not checked: a unique index whose rebuild fails has found duplicates."));
    }
}
