using System.Globalization;
using Kintsugi.Postgres.Sessions;
using Npgsql;

namespace Kintsugi.Lab;

/// <summary>What one table held: per key the hashes of its rows, or why it could not be read.</summary>
/// <param name="Rows">Per key (the primary key's columns as row text, or without a key the hash itself) the rows'
/// hashes, sorted.</param>
/// <param name="Unreadable">The server's message when the scan failed; then <paramref name="Rows"/> is empty.</param>
internal sealed record TableFingerprint(IReadOnlyDictionary<string, IReadOnlyList<UInt128>> Rows, string? Unreadable);

/// <summary>
/// Every row of a database at one moment, by key and hash. It is read by sequential scans only, so that a damaged index
/// neither hides rows nor invents them; two of them tell row by row what a repair kept, lost, changed or added.
/// </summary>
public sealed class Fingerprint
{
    // Everything that shapes text output is fixed, so that two fingerprints differ only where the rows do.
    private const string Session = """
        SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; SET enable_tidscan = on;
        SET max_parallel_workers_per_gather = 0; SET row_security = off; SET statement_timeout = '60s';
        SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex';
        SET extra_float_digits = 1; SET search_path = pg_catalog
        """;

    private const string TablesQuery = """
        SELECT n.nspname::text, c.relname::text,
               (SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.position)
                  FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number,
                    position)
                  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                 WHERE i.indrelid = c.oid AND i.indisprimary AND k.position <= i.indnkeyatts)
          FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.relispopulated
           AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'kintsugi')
         ORDER BY 1, 2
        """;

    private Fingerprint(IReadOnlyDictionary<string, TableFingerprint> tables) => Tables = tables;

    /// <summary>Rows of all tables together.</summary>
    public long RowCount => Tables.Values.Sum(table => table.Rows.Values.Sum(rows => (long)rows.Count));

    /// <summary>Tables that were looked at, readable or not.</summary>
    public int TableCount => Tables.Count;

    internal IReadOnlyDictionary<string, TableFingerprint> Tables { get; }

    /// <summary>Reads every table of a database. Kintsugi's own schema does not count.</summary>
    public static async Task<Fingerprint> Take(ThrowawayCluster cluster, string database, CancellationToken cancellationToken)
    {
        var found = await cluster.Query(database, TablesQuery, cancellationToken);
        var tables = new SortedDictionary<string, TableFingerprint>(StringComparer.Ordinal);
        foreach (var row in found)
        {
            var name = $"{Quote.Identifier((string)row[0]!)}.{Quote.Identifier((string)row[1]!)}";
            tables[name] = await TakeTable(cluster, database, name, row[2] as string[] ?? [], cancellationToken);
        }
        return new Fingerprint(tables);
    }

    /// <summary>What is different now; empty when every row is as it was.</summary>
    /// <param name="after">The same database later.</param>
    /// <param name="except">Tables to leave out, as quoted names ("public"."playback_sessions").</param>
    public FingerprintDifference CompareWith(Fingerprint after, params IReadOnlyCollection<string> except) =>
        FingerprintDifference.Between(this, after, except);

    /// <summary>
    /// This one without rows that <paramref name="came"/> has and <paramref name="before"/> has not, whichever table they lie in: what came with an injury
    /// belongs to nobody's sound state, and a repair may have moved it.
    /// </summary>
    public Fingerprint Without(Fingerprint came, Fingerprint before)
    {
        var known = before.Tables.Values.SelectMany(table => table.Rows.Values).SelectMany(hashes => hashes).ToHashSet();
        var foreign = came.Tables.Where(table => before.Tables.ContainsKey(table.Key)).SelectMany(table => table.Value.Rows
                .Where(row => !before.Tables[table.Key].Rows.ContainsKey(row.Key)).SelectMany(row => row.Value))
            .Where(hash => !known.Contains(hash)).ToHashSet();
        // A repair may also have changed it where it lies: its key came with the injury.
        bool Came(string table, string key) => came.Tables.TryGetValue(table, out var then) && then.Rows.ContainsKey(key)
            && before.Tables.TryGetValue(table, out var first) && !first.Rows.ContainsKey(key);
        return new Fingerprint(Tables.ToDictionary(table => table.Key, table => table.Value with
        {
            Rows = table.Value.Rows.Where(row => !row.Value.All(foreign.Contains) && !Came(table.Key, row.Key)).ToDictionary(row => row.Key, row => row.Value),
        }));
    }

    private static async Task<TableFingerprint> TakeTable(
        ThrowawayCluster cluster, string database, string name, string[] key, CancellationToken cancellationToken)
    {
        var hash = "pg_catalog.md5(kintsugi_row::text)";
        var columns = string.Join(", ", key.Select(column => "kintsugi_row." + Quote.Identifier(column)));
        var identity = key.Length == 0 ? hash : $"ROW({columns})::text";
        var rows = new Dictionary<string, List<UInt128>>(StringComparer.Ordinal);
        try
        {
            // A connection for each table: a damaged row may cost the backend its life.
            await using var connection = await cluster.Connect(database, cancellationToken);
            await using (var session = new NpgsqlCommand(Session, connection))
                await session.ExecuteNonQueryAsync(cancellationToken);
            await using var command = new NpgsqlCommand($"SELECT {identity}, {hash} FROM ONLY {name} AS kintsugi_row",
                connection);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var md5 = UInt128.Parse(reader.GetString(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                if (!rows.TryGetValue(reader.GetString(0), out var hashes))
                    rows.Add(reader.GetString(0), hashes = []);
                hashes.Add(md5);
            }
        }
        catch (NpgsqlException damaged)
        {
            return new TableFingerprint(new Dictionary<string, IReadOnlyList<UInt128>>(), damaged.Message);
        }
        return new TableFingerprint(
            rows.ToDictionary(pair =>
                pair.Key, pair => (IReadOnlyList<UInt128>)[.. pair.Value.Order()], StringComparer.Ordinal), null);
    }
}
