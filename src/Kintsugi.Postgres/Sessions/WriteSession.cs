using System.Data.Common;
using Npgsql;

namespace Kintsugi.Postgres.Sessions;

/// <summary>A session that may write: opened by the operating room alone, with the same fixed search_path and limits.</summary>
public sealed class WriteSession(NpgsqlConnection connection, SessionLimits limits) : IAsyncDisposable
{
    public string Database { get; } = connection.Database;
    public int BackendPid { get; } = connection.ProcessID;
    public bool IsOpen => connection.FullState.HasFlag(System.Data.ConnectionState.Open);

    /// <summary>Runs one statement, or several in one implicit transaction, within both time limits.</summary>
    /// <returns>Rows affected.</returns>
    public async ValueTask<int> Execute(string sql, CancellationToken cancellationToken, params object?[] parameters)
    {
        await using var command = SqlCommand.Create(connection, sql, parameters, (int)limits.Statement.TotalSeconds + 60);
        return await Try(() => command.ExecuteNonQueryAsync(cancellationToken));
    }

    public async ValueTask<IReadOnlyList<T>> Rows<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken cancellationToken, params object?[] parameters)
    {
        await using var command = SqlCommand.Create(connection, sql, parameters, (int)limits.Statement.TotalSeconds + 60);
        await using var reader = await Try(() => command.ExecuteReaderAsync(cancellationToken));
        var rows = new List<T>();
        while (await Try(() => reader.ReadAsync(cancellationToken)))
            rows.Add(read(reader));
        await Try(() => reader.NextResultAsync(cancellationToken));
        return rows;
    }

    /// <summary>The first column of the first row, or default.</summary>
    public async ValueTask<T?> Value<T>(string sql, CancellationToken cancellationToken, params object?[] parameters)
    {
        var rows = await Rows(sql, reader => reader.IsDBNull(0) ? default : reader.GetFieldValue<T>(0), cancellationToken, parameters);
        return rows.Count == 0 ? default : rows[0];
    }

    /// <summary>
    /// Runs a statement that must not be ended by a clock of ours half way (REINDEX CONCURRENTLY, VACUUM, VALIDATE).
    /// Cancellation still reaches the server.
    /// </summary>
    /// <param name="lockTimeout">Zero for the CONCURRENTLY pair, whose waits are part of the work.</param>
    public async ValueTask ExecuteUnbounded(string sql, TimeSpan lockTimeout, CancellationToken cancellationToken)
    {
        await Execute($"SET statement_timeout = 0; SET lock_timeout = {lockTimeout.TotalMilliseconds:0}", cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await Try(() => command.ExecuteNonQueryAsync(cancellationToken));
        }
        finally
        {
            if (IsOpen)
                await Execute($"SET statement_timeout = {limits.Statement.TotalMilliseconds:0}; "
                    + $"SET lock_timeout = {limits.Lock.TotalMilliseconds:0}", CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync() => await connection.DisposeAsync();

    private static async ValueTask<T> Try<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (NpgsqlException problem)
        {
            throw Translate.Problem(problem);
        }
    }
}
