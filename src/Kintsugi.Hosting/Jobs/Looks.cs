using Kintsugi.Configuration;

namespace Kintsugi.Hosting;

/// <summary>Which checks belong to which job, by layer: every check that is registered belongs to exactly one of them.</summary>
internal static class Looks
{
    /// <summary>Checks that say "checksums verified" when nothing else is wrong.</summary>
    public static readonly IReadOnlySet<string> Checksums = new HashSet<string> { "pages", "shared-pages" };

    /// <summary>What a health check asks of indexes; beside it every check of the layer Server.</summary>
    public static readonly IReadOnlySet<string> Critical = new HashSet<string> { "index-state", "btree" };

    /// <exception cref="ArgumentException">There is no such job.</exception>
    public static IReadOnlySet<string> Of(string job, IEnumerable<ICheck> checks) => checks.Where(check => JobOf(check.Layer) == job)
        .Select(check => check.Id).ToHashSet() is { Count: > 0 } ids ? ids : throw NoSuchJob(job);

    public static string JobOf(Layer layer) => layer switch
    {
        Layer.Server => JobNames.HealthCheck,
        Layer.Index => JobNames.IndexCheck,
        Layer.Uniqueness or Layer.Reference or Layer.Value => JobNames.OrphanCleanup,
        // What indexes and rows stand on is read together, page by page.
        Layer.Storage or Layer.Catalog or Layer.Heap or Layer.Map => JobNames.ChecksumVerify,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    public static ArgumentException NoSuchJob(string job) => new($"there is no job {job}; there are: {string.Join(", ", JobNames.All)}", nameof(job));

    /// <param name="table">schema.table or a table's name; empty for all.</param>
    public static Func<Relation, bool>? Table(string table) => table.Length == 0 ? null
        : relation => table == relation.TableName || table == $"{relation.TableSchema}.{relation.TableName}";

    /// <exception cref="ArgumentException">No database of the target has such a table: to look at nothing would pass for health.</exception>
    public static async ValueTask<Func<Relation, bool>?> Table(string table, IPatientSource source, CancellationToken cancellationToken)
    {
        if (Table(table) is not { } meant)
            return null;
        foreach (var database in source.Databases)
        {
            var patient = await source.Open(database, cancellationToken);
            await using var session = patient.Sql;
            if (patient.Relations.Relations.Any(meant))
                return meant;
        }
        throw new ArgumentException($"there is no table {table} in {string.Join(", ", source.Databases)}", nameof(table));
    }
}
