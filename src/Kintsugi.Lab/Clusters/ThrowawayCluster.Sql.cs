using System.Collections.Concurrent;
using Npgsql;

namespace Kintsugi.Lab;

/// <summary>
/// Short ways to SQL for tests and injuries. The product itself never comes this way: it has sessions of its own.
/// </summary>
public sealed partial class ThrowawayCluster
{
    private readonly ConcurrentDictionary<string, NpgsqlDataSource> sources = new(StringComparer.Ordinal);

    /// <summary>An Npgsql connection string as superuser over the Unix socket.</summary>
    public string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = SocketDirectory, Port = Port, Username = "postgres", Database = database,
        // A pooled connection would hold databases against DROP and TEMPLATE, and servers against a quick stop.
        Pooling = false, Timeout = 15, CommandTimeout = 60, ApplicationName = "kintsugi-lab", IncludeErrorDetail = true,
        NoResetOnClose = true,
    }.ConnectionString;

    /// <summary>An open connection; the caller disposes it.</summary>
    public async Task<NpgsqlConnection> Connect(string database, CancellationToken cancellationToken)
    {
        // Types are not loaded: that query reads a dozen catalogs, which may be what was injured. Read others as text.
        var source = sources.GetOrAdd(
            ConnectionString(database),
            text => new NpgsqlDataSourceBuilder(text).ConfigureTypeLoading(types => types.EnableTypeLoading(false)).Build());
        var connection = source.CreateConnection();
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs statements; several, parted by semicolons, are one transaction unless they say otherwise.</summary>
    public async Task Execute(string database, string sql, CancellationToken cancellationToken)
    {
        await using var connection = await Connect(database, cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The first column of the first row, or default when there is none or it is null.</summary>
    public async Task<T?> Scalar<T>(string database, string sql, CancellationToken cancellationToken)
    {
        await using var connection = await Connect(database, cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken) is T value ? value : default;
    }

    /// <summary>All rows; nulls are null, everything else as Npgsql reads it.</summary>
    public async Task<IReadOnlyList<object?[]>> Query(string database, string sql, CancellationToken cancellationToken)
    {
        await using var connection = await Connect(database, cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<object?[]>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add([.. row.Select(value => value is DBNull ? null : value)]);
        }
        return rows;
    }

    /// <summary>Waits until this standby has replayed WAL up to a position of its primary.</summary>
    public async Task AwaitReplayOf(string position, CancellationToken cancellationToken)
    {
        var sql = $"SELECT pg_catalog.pg_last_wal_replay_lsn() >= '{position}'::pg_lsn";
        while (!await Scalar<bool>("postgres", sql, cancellationToken))
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
    }

    /// <summary>
    /// Creates those of the lab's extensions that this server has: amcheck, pg_visibility, pageinspect, and pg_surgery (14+).
    /// </summary>
    /// <returns>The names of those that are now there.</returns>
    public async Task<IReadOnlyList<string>> CreateExtensions(string database, CancellationToken cancellationToken)
    {
        var offered = await Query(
            database,
            "SELECT name::text FROM pg_catalog.pg_available_extensions "
            + "WHERE name IN ('amcheck', 'pg_visibility', 'pageinspect', 'pg_surgery') ORDER BY name",
            cancellationToken);
        var names = offered.Select(row => (string)row[0]!).ToList();
        foreach (var name in names)
            await Execute(database, $"CREATE EXTENSION IF NOT EXISTS {name}", cancellationToken);
        return names;
    }
}
