using Kintsugi.Postgres.Sessions;

namespace Kintsugi.Lab.Damage;

/// <summary>The database that is being injured, with the questions that injuries ask it.</summary>
public sealed class InjuryRoom
{
    private InjuryRoom(ThrowawayCluster cluster, string database)
    {
        Cluster = cluster;
        Database = database;
    }

    internal ThrowawayCluster Cluster { get; }

    internal string Database { get; }

    /// <summary>Enters only a data directory that carries the lab's marker: nothing else may ever be damaged.</summary>
    internal static InjuryRoom Enter(ThrowawayCluster cluster, string database) =>
        File.Exists(Path.Combine(cluster.DataDirectory, ThrowawayCluster.Marker))
            ? new InjuryRoom(cluster, database)
            : throw new LabException($"{cluster.DataDirectory} has no {ThrowawayCluster.Marker}: it is not the lab's to injure.");

    internal Task Execute(string sql, CancellationToken cancellationToken) => Cluster.Execute(Database, sql, cancellationToken);

    internal Task<T?> Scalar<T>(string sql, CancellationToken cancellationToken) =>
        Cluster.Scalar<T>(Database, sql, cancellationToken);

    /// <summary>A file of a relation's fork, written out by a checkpoint. The relation is named as regclass reads it.</summary>
    internal async Task<RelationFile> FileOf(string relation, CancellationToken cancellationToken, string fork = "")
    {
        await Execute("CHECKPOINT", cancellationToken);
        var path = await Scalar<string>($"SELECT pg_catalog.pg_relation_filepath({Quote.Literal(relation)}::regclass)",
            cancellationToken)
            ?? throw new LabException($"{relation} has no file.");
        return new RelationFile(Path.Combine(Cluster.DataDirectory, path + fork));
    }

    /// <summary>The TOAST table of a table, as regclass reads it.</summary>
    internal async Task<string> ToastOf(string table, CancellationToken cancellationToken) =>
        await Scalar<string>(
            $"SELECT reltoastrelid::regclass::text FROM pg_class WHERE oid = {Quote.Literal(table)}::regclass", cancellationToken)
        ?? throw new LabException($"{table} has no TOAST table.");

    /// <summary>Where the first row that fits a condition lies.</summary>
    internal async Task<(int Block, int Offset)> PlaceOf(string table, string condition, CancellationToken cancellationToken)
    {
        var ctid = await Scalar<string>($"SELECT ctid::text FROM {table} WHERE {condition} ORDER BY ctid LIMIT 1",
            cancellationToken)
            ?? throw new LabException($"No row of {table} fits {condition}.");
        var parts = ctid.Trim('(', ')').Split(',');
        return (int.Parse(parts[0]), int.Parse(parts[1]));
    }

    /// <summary>The SQLSTATE that a statement fails with, or null when it succeeds; empty when the connection was lost.</summary>
    internal async Task<string?> StateOf(string sql, CancellationToken cancellationToken)
    {
        try
        {
            await Execute(sql, cancellationToken);
            return null;
        }
        catch (Npgsql.NpgsqlException failed)
        {
            return failed.SqlState ?? "";
        }
    }
}
