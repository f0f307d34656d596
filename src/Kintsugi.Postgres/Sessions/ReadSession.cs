using System.Data.Common;
using System.Globalization;
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
    /// <summary>
    /// One statement of ours with its parallel workers can fill every processor that the applications beside it need: where anybody else has had something to do
    /// within the last two seconds, it makes do with one. First of all, while the role is still ours: others are not told who is at work. From the function, since the
    /// view of that name would need catalogs that may be what is damaged.
    /// </summary>
    private const string AloneWhereOthersWork = """
        SELECT pg_catalog.set_config('max_parallel_workers_per_gather', '0', true) WHERE EXISTS (
          SELECT FROM pg_catalog.pg_stat_get_activity(NULL) s WHERE s.backend_type = 'client backend' AND s.application_name <> 'kintsugi'
            AND s.state_change > pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => 2))
        """;

    private NpgsqlConnection connection = connection;
    private bool inTransaction;
    private TimeSpan? ownLimit;

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
        await using var loan = await Borrow(sql, cancellationToken);
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
        await Run($"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; {AloneWhereOthersWork}; {settings}", cancellationToken);
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

    public async ValueTask<T> InTransaction<T>(
        string settings, TimeSpan limit, Func<IReadSession, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        ownLimit = limit;
        try
        {
            return await InTransaction(string.Create(CultureInfo.InvariantCulture,
                $"{settings}; SET LOCAL statement_timeout = {limit.TotalMilliseconds:0}"), work, cancellationToken);
        }
        finally
        {
            ownLimit = null;
        }
    }

    public async ValueTask DisposeAsync() => await connection.DisposeAsync();

    /// <summary>
    /// A transaction in which the contrib functions that the statement calls exist in pg_temp; from then on READ ONLY, and rolled back in the end.
    /// </summary>
    private async ValueTask<Loan?> Borrow(string sql, CancellationToken cancellationToken)
    {
        if (BorrowedFunctions.Needed(sql, connection.PostgreSqlVersion.Major) is not { } statements)
            return null;
        if (inTransaction)
            throw new PatientException(SqlStates.FeatureNotSupported,
                "the contrib module is not installed in this database, and a transaction that is READ ONLY cannot borrow its functions");
        try
        {
            await Run($"BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE; {statements}; SET TRANSACTION READ ONLY", cancellationToken);
            return new Loan(this);
        }
        catch (PatientException problem) when (!problem.ConnectionLost)
        {
            await Return();
            // Without the code: an error here accuses no object that was to be examined.
            throw new PatientException(null, $"the functions of the contrib module could not be borrowed for one transaction: {problem.Message}; "
                + "install them: kintsugi doctor --install-missing", problem);
        }
    }

    private async ValueTask Return()
    {
        if (connection.FullState.HasFlag(System.Data.ConnectionState.Open))
            await Run("ROLLBACK", CancellationToken.None);
    }

    private sealed class Loan(ReadSession session) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => session.Return();
    }

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
    private int ClientLimit => (int)((ownLimit ?? limits.Statement) + limits.Grace).TotalSeconds;

    private async ValueTask Run(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 60 };
        await Try(() => command.ExecuteNonQueryAsync(cancellationToken));
    }

    private async ValueTask<T> Try<T>(Func<Task<T>> work)
    {
        var backend = connection.ProcessID;
        try
        {
            return await work();
        }
        catch (NpgsqlException problem) when (problem.InnerException is TimeoutException)
        {
            throw new PatientException(null, $"backend {backend} did not end its statement at the server's own limit, nor when it was cancelled: it may spin "
                + $"in a damaged index, where it heeds pg_terminate_backend as little; look at process {backend} on the server's machine, and plan a restart",
                problem);
        }
        catch (NpgsqlException problem)
        {
            throw Translate.Problem(problem);
        }
    }
}
