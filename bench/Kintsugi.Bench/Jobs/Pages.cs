using Kintsugi.Lab;

namespace Kintsugi.Bench.Jobs;

/// <summary>Tables of very different sizes with two btrees each, as a real database has them.</summary>
internal static class Pages
{
    public const string Database = "pages";

    /// <summary>About 180 bytes in the heap and 60 in the indexes per row; a table has half the rows of the one before it.</summary>
    public static async Task<ThrowawayCluster> Cluster(Room room, int rows, CancellationToken cancellationToken)
    {
        var cluster = await room.NewCluster(cancellationToken);
        var statements = new List<string>();
        for (var (table, count) = (1, rows / 2); table <= 8; table++, count /= 2)
        {
            statements.Add($"CREATE TABLE t{table} (id bigint PRIMARY KEY, kind int NOT NULL, label text NOT NULL, body text NOT NULL)");
            statements.Add($"INSERT INTO t{table} SELECT g, g % 1000, 'label ' || g, repeat(md5(g::text), 3) FROM generate_series(1, {count}) g");
            statements.Add($"CREATE INDEX ON t{table} (label)");
        }
        await Room.Fill(cluster, Database, statements, cancellationToken);
        return cluster;
    }
}
