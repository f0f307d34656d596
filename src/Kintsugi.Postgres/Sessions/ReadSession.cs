using System.Data.Common;
using System.Runtime.CompilerServices;
using Npgsql;

namespace Kintsugi.Postgres.Sessions;

/// <summary>A session that cannot write: READ ONLY on the server, search_path fixed, row security off, time limits set.</summary>
/// <remarks>
/// The driver closes its connection after any error of class XX, as after a lost server. For a session that looks for damage such errors are
/// answers, so it connects again for the next question.
/// </remarks>
/// <param name="again">Opens and prepares another connection to the same database.</param>
public sealed class ReadSession(
    NpgsqlConnection connection, SessionLimits limits, Func<CancellationToken, ValueTask<NpgsqlConnection>> again) : IReadSession
{
    private NpgsqlConnection connection = connection;
    private bool inTransaction;

    public string Database { get; } = connection.Database;
    public int BackendPid => connection.ProcessID;

    public async ValueTask<IReadOnlyList<T>> Rows<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken cancellationToken, params object?[] parameters)
    {
        var rows = new List<T>();
        await foreach (var row in Stream(sql, read, cancellationToken, parameters))
            rows.Add(row);
        return rows;
    }

    public async IAsyncEnumerable<T> Stream<T>(
        string sql, Func<DbDataReader, T> read, [EnumeratorCancellation] CancellationToken cancellationToken, params object?[] parameters)
    {
        await BeOpen(cancellationToken);
        await using var command = SqlCommand.Create(connection, sql, parameters, ClientLimit);
        await using var reader = await Try(() => command.ExecuteReaderAsync(cancellationToken));
        while (await Try(() => reader.ReadAsync(cancellationToken)))
            yield return read(reader);
        // Errors that come after the last row (a COMMIT of a deferred trigger, a checksum met at the end) must not be lost.
        await Try(() => reader.NextResultAsync(cancellationToken));
    }

    public async ValueTask<T> InTransaction<T>(
        string settings, Func<IReadSession, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        await BeOpen(cancellationToken);
        await Run($"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; {settings}", cancellationToken);
        inTransaction = true;
        try
        {
            return await work(this);
        }
        finally
        {
            inTransaction = false;
            if (connection.FullState.HasFlag(System.Data.ConnectionState.Open))
                await Run("ROLLBACK", CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync() => await connection.DisposeAsync();

    private async ValueTask BeOpen(CancellationToken cancellationToken)
    {
        if (connection.FullState.HasFlag(System.Data.ConnectionState.Open))
            return;
        if (inTransaction)
            throw new PatientException("25P02", "the transaction was ended by the error before");
        await connection.DisposeAsync();
        connection = await again(cancellationToken);
    }

    /// <summary>The server ends the statement first; the client's own limit is for a network that swallowed the answer.</summary>
    private int ClientLimit => (int)(limits.Statement + TimeSpan.FromSeconds(60)).TotalSeconds;

    private async ValueTask Run(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 60 };
        await Try(() => command.ExecuteNonQueryAsync(cancellationToken));
    }

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
