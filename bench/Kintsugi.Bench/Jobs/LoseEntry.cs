using Kintsugi.Lab;

namespace Kintsugi.Bench.Jobs;

/// <summary>Damage to an index of any size: a row that it does not know any more.</summary>
internal static class LoseEntry
{
    /// <summary>While the index counts as not ready, writers pass it by; there and back again leaves the row as it was.</summary>
    public static async Task From(
        ThrowawayCluster cluster, string database, string table, string index, string column, string row, CancellationToken cancellationToken)
    {
        string[] statements =
        [
            $"UPDATE pg_index SET indisready = false WHERE indexrelid = '{index}'::regclass",
            $"UPDATE {table} SET {column} = -{column} WHERE {row}",
            $"UPDATE {table} SET {column} = -{column} WHERE {row}",
            $"UPDATE pg_index SET indisready = true WHERE indexrelid = '{index}'::regclass",
        ];
        foreach (var statement in statements)
            await cluster.Execute(database, statement, cancellationToken);
    }
}
