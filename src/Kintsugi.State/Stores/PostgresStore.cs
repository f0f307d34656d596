using System.Data.Common;
using Npgsql;

namespace Kintsugi.State;

/// <summary>
/// A schema of our own in a PostgreSQL database that is not under care. Writers come one after the other, by an advisory lock that ends with
/// their transaction; a connection that was lost before anything was committed is replaced once.
/// </summary>
public sealed class PostgresStore : StateStore
{
    public const string Schema = "kintsugi_state";

    private const int PatienceSeconds = 20;

    private readonly NpgsqlDataSource source;

    private PostgresStore(string place, NpgsqlDataSource source, string systemIdentifier)
    {
        this.source = source;
        (Place, SystemIdentifier) = (place, systemIdentifier);
    }

    public override string Place { get; }

    public override bool IsShared => true;

    /// <summary>Of the server on which it lies.</summary>
    public string SystemIdentifier { get; }

    /// <param name="connection">Npgsql's text; nothing of it is shown but host, port and database.</param>
    /// <exception cref="StateException">It is away, refuses us, is a standby, or was written by a newer version.</exception>
    public static PostgresStore Open(string connection)
    {
        var settings = Settings(connection);
        var place = $"{settings.Host}:{settings.Port}/{settings.Database}";
        // The driver would read pg_type of our own server at every start of the command line; only text and numbers are asked for.
        var source = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString)
            .ConfigureTypeLoading(loading => loading.EnableTypeLoading(false)).EnableTransportSecurity().Build();
        try
        {
            using var first = source.OpenConnection();
            PostgresMigrations.Apply(first, place);
            var identifier = Sql.Rows(first, "select system_identifier::pg_catalog.text from pg_catalog.pg_control_system()", row => row.GetString(0))[0];
            return new PostgresStore(place, source, identifier);
        }
        catch (Exception problem) when (problem is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
        {
            source.Dispose();
            throw Explain(problem, place);
        }
        catch (StateException)
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>The same server and schema, for whoever keeps tables of its own there.</summary>
    public static NpgsqlConnectionStringBuilder Settings(string connection) => new(connection)
    {
        ApplicationName = "kintsugi ledger", SearchPath = $"{Schema}, pg_temp", CommandTimeout = PatienceSeconds, Pooling = true, MaxPoolSize = 20,
        // No session state is left behind that would have to be put back.
        NoResetOnClose = true,
    };

    internal override T Look<T>(Func<DbConnection, T> work) => Use(work);

    internal override T Change<T>(Func<DbConnection, T> work) => Use(connection =>
    {
        using var transaction = connection.BeginTransaction();
        // What is recorded must survive a power cut before the deed that it announces is begun, whatever the server's default is.
        Sql.Run(connection, """
            select pg_catalog.set_config('synchronous_commit', 'on', true) where pg_catalog.current_setting('synchronous_commit') in ('off', 'local');
            select pg_catalog.pg_advisory_xact_lock(1802071668, 10)
            """);
        var result = work(connection);
        transaction.Commit();
        return result;
    });

    internal override T Still<T>(Func<DbConnection, T> work) => Use(connection =>
    {
        using var transaction = connection.BeginTransaction(System.Data.IsolationLevel.RepeatableRead);
        return work(connection);
    });

    public override void Dispose() => source.Dispose();

    private T Use<T>(Func<NpgsqlConnection, T> work)
    {
        try
        {
            return Once(work);
        }
        catch (NpgsqlException problem)
        {
            throw Explain(problem, Place);
        }
    }

    /// <summary>A pooled connection may have died while it lay there, which is seen before the work: it is tried with an empty question.</summary>
    private T Once<T>(Func<NpgsqlConnection, T> work)
    {
        var connection = source.OpenConnection();
        try
        {
            using (var probe = new NpgsqlCommand("select 1", connection))
                probe.ExecuteNonQuery();
        }
        catch (NpgsqlException problem) when (IsAway(problem))
        {
            connection.Dispose();
            source.Clear();
            connection = source.OpenConnection();
        }
        using (connection)
            return work(connection);
    }

    private static bool IsAway(NpgsqlException problem) => problem is not PostgresException refused
        || refused.SqlState.StartsWith("08", StringComparison.Ordinal) || refused.SqlState.StartsWith("57P", StringComparison.Ordinal);

    private static StateException Explain(Exception problem, string place) => problem switch
    {
        PostgresException { SqlState: "57014" } => new StateException(
            $"the ledger {place} was held by another process for more than {PatienceSeconds} s. Wait for it to end and run again.", problem),
        PostgresException { SqlState: "25006" } => new StateException(
            $"the ledger {place} cannot be written: that server is a standby or read-only. Name its primary with ledger: {{ postgres: … }}.", problem),
        PostgresException { SqlState: "53100" } => new StateException(
            $"no room is left on the disk under the ledger {place}. Make room and run again.", problem),
        PostgresException refused => new StateException(
            $"the ledger {place} could not be used: {refused.MessageText} (SQLSTATE {refused.SqlState})", problem),
        _ => new StateException(
            $"the ledger {place} cannot be reached: {problem.InnerException?.Message ?? problem.Message}. Start that server, or correct ledger: {{ postgres: … }}.",
            problem),
    };
}
