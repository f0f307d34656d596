using Kintsugi.Postgres.Tests.Fixtures;
using Npgsql;

namespace Kintsugi.Postgres.Tests.Healing.Table;

/// <summary>What people do otherwise. Each statement stands alone: one that fails is told, and the next one follows.</summary>
internal static class HealingTableRivals
{
    private const string Tables = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        + "WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND n.nspname = 'public' ORDER BY 1";

    private const string ForeignKeys = """
        SELECT format('DELETE FROM %s WHERE (%s) NOT IN (SELECT %s FROM %s)', c.conrelid::regclass,
                      (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k(num, n)
                       JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num),
                      (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k(num, n)
                       JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num), c.confrelid::regclass)
        FROM pg_constraint c WHERE c.contype = 'f' AND c.conparentid = 0
        """;

    /// <summary>The brief's three strategies, word for word where they can be run at all: its one query for every index stops at the first GIN.</summary>
    public static async Task<string> Brief(TestDatabase database, CancellationToken stop)
    {
        var said = new List<string>();
        foreach (var index in await List(database, "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_am a ON a.oid = c.relam "
            + "JOIN pg_index i ON i.indexrelid = c.oid WHERE c.relkind = 'i' AND a.amname = 'btree' AND c.oid >= 16384 AND i.indisvalid", said, stop))
            if (!await Try(database, $"SELECT bt_index_check('{index.Replace("'", "''", StringComparison.Ordinal)}'::regclass, true)", [], stop))
                await Try(database, $"REINDEX INDEX CONCURRENTLY {index}", said, stop);
        foreach (var table in await List(database, Tables, said, stop))
            if (await Lies(database, table, stop))
                await Try(database, $"VACUUM FULL ANALYZE {table}", said, stop);
        foreach (var delete in await List(database, ForeignKeys, said, stop))
            await Try(database, delete, said, stop);
        return string.Join("; ", said);
    }

    public static async Task<string> Usual(TestDatabase database, CancellationToken stop)
    {
        var said = new List<string>();
        foreach (var table in await List(database, Tables, said, stop))
            await Try(database, $"SET zero_damaged_pages = on;; VACUUM FULL {table}", said, stop);
        await Try(database, $"REINDEX DATABASE {database.Name}", said, stop);
        return string.Join("; ", said);
    }

    private static async Task<bool> Lies(TestDatabase database, string table, CancellationToken stop)
    {
        try
        {
            return await database.Scalar<long>($"SELECT count(*) FROM pg_check_visible('{table.Replace("'", "''", StringComparison.Ordinal)}')", stop) > 0;
        }
        catch (NpgsqlException)
        {
            // The recipe knows nothing to do about a table that cannot be read.
            return false;
        }
    }

    private static async Task<IReadOnlyList<string>> List(TestDatabase database, string sql, List<string> said, CancellationToken stop)
    {
        try
        {
            return [.. (await database.Query(sql, stop)).Select(row => (string)row[0]!)];
        }
        catch (NpgsqlException problem)
        {
            said.Add(problem.Message);
            return [];
        }
    }

    private static async Task<bool> Try(TestDatabase database, string sql, List<string> said, CancellationToken stop)
    {
        try
        {
            await using var connection = await database.Cluster.Connect(database.Name, stop);
            foreach (var statement in sql.Split(";;"))
                await new NpgsqlCommand(statement, connection) { CommandTimeout = 300 }.ExecuteNonQueryAsync(stop);
            return true;
        }
        catch (NpgsqlException problem)
        {
            said.Add($"{sql.Split(";;")[^1].Trim()}: {problem.Message}");
            return false;
        }
    }
}
