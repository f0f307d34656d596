using Kintsugi.Rules;

namespace Kintsugi.Hosting;

/// <summary>
/// Which indexes a health check looks at in one database: those that the owner named, else primary keys of the tables that are used most, as many as
/// its budget holds. An index that would burst the budget alone is left to the weekly check, and that is said.
/// </summary>
internal static class CriticalIndexes
{
    /// <summary>amcheck reads some 100 MB a second: two seconds of a server's time in pages.</summary>
    public const long PageBudget = 2 * 100 * 1024 / 8;

    /// <summary>Small indexes are looked at together, a hundred in one statement.</summary>
    public const int MostIndexes = 100;

    private const string Used = """
        SELECT i.indexrelid FROM pg_catalog.pg_stat_user_tables s
        JOIN pg_catalog.pg_index i ON i.indrelid = s.relid AND i.indisprimary
        ORDER BY coalesce(s.seq_tup_read, 0) + coalesce(s.idx_tup_fetch, 0) + s.n_tup_ins + s.n_tup_upd + s.n_tup_del DESC, i.indexrelid LIMIT 200
        """;

    /// <returns>The indexes to look at, and how many there was no room for.</returns>
    public static async ValueTask<(IReadOnlySet<(string Schema, string Name)> Chosen, int Left)> Choose(
        IPatientSource source, string database, IReadOnlyList<ObjectName> named, CancellationToken cancellationToken)
    {
        var patient = await source.Open(database, cancellationToken);
        await using var session = patient.Session;
        IEnumerable<Relation> candidates = named.Count > 0
            ? named.Select(name => patient.Relations.Find(name.Schema, name.Name)).OfType<Relation>().Where(relation => relation.Index is not null)
            : (await session.Rows(Used, row => row.GetFieldValue<uint>(0), cancellationToken)).Select(patient.Relations.Find).OfType<Relation>();
        var chosen = new HashSet<(string, string)>();
        var (pages, left) = (0L, 0);
        foreach (var relation in candidates)
        {
            // Every row of the table is looked up in the index.
            var weight = Math.Max(1, relation.Pages) + (patient.Relations.Find(relation.HeapOid)?.Pages ?? 0);
            if (pages + weight > PageBudget || chosen.Count >= MostIndexes)
            {
                left++;
                continue;
            }
            pages += weight;
            chosen.Add((relation.Schema, relation.Name));
        }
        return (chosen, left);
    }
}
