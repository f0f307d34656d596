using System.Collections.Concurrent;
using Npgsql;

namespace Kintsugi.Postgres.Sessions;

/// <summary>Limits of the sessions that look.</summary>
public sealed record SessionLimits
{
    /// <summary>No MVCC snapshot of ours lives longer.</summary>
    public TimeSpan Statement { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Waiting for a lock holds up whoever waits behind us.</summary>
    public TimeSpan Lock { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long after the server should have ended a statement the client waits for it to say so.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The server ends what a reading session does when this process is gone (14 and later); writing ones always do that.</summary>
    public bool EndsWithUs { get; init; }
}

/// <summary>The only code that opens connections to a patient.</summary>
/// <param name="connectionString">Npgsql's text for that database; null for the one that was named first.</param>
public sealed class SessionFactory(Func<string?, string> connectionString, SessionLimits limits) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, NpgsqlDataSource> sources = new();

    public SessionLimits Limits { get; } = limits;

    public async ValueTask<ReadSession> OpenRead(string? database, CancellationToken cancellationToken)
    {
        return new ReadSession(await Connect(cancellationToken), Limits, Connect);

        async ValueTask<NpgsqlConnection> Connect(CancellationToken stop)
        {
            var connection = await Open(database, stop);
            await Prepare(connection, readOnly: true, stop);
            if (Limits.EndsWithUs)
                await NoticeOurEnd(connection, stop);
            return connection;
        }
    }

    public async ValueTask<WriteSession> OpenWrite(string? database, CancellationToken cancellationToken)
    {
        var connection = await Open(database, cancellationToken);
        await Prepare(connection, readOnly: false, cancellationToken);
        await NoticeOurEnd(connection, cancellationToken);
        return new WriteSession(connection, Limits);
    }

    private async ValueTask<NpgsqlConnection> Open(string? database, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString(database))
        {
            ApplicationName = "kintsugi",
            Pooling = false,
            CommandTimeout = 0,
            IncludeErrorDetail = true,
        };
        var source = sources.GetOrAdd(settings.ConnectionString, Build);
        try
        {
            var connection = await source.OpenConnectionAsync(cancellationToken);
            if (connection.PostgreSqlVersion.Major >= 13)
                return connection;
            // Before anything is asked of it: its catalogs are not those that our questions are written for.
            var version = connection.PostgreSqlVersion;
            await connection.DisposeAsync();
            throw new PatientException(null, $"the server is PostgreSQL {version.Major}.{version.Minor}; Kintsugi knows 13 and later. "
                + "Upgrade the server, or examine it with its own pg_amcheck");
        }
        catch (NpgsqlException problem)
        {
            throw Translate.Refusal(problem);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in sources.Values)
            await source.DisposeAsync();
    }

    /// <summary>
    /// A backend whose client was killed goes on with its statement, and with our locks, until it next writes to the connection; from 14 on
    /// it can look for itself (client_connection_check_interval, which only some systems support).
    /// </summary>
    private static async ValueTask NoticeOurEnd(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("""
            SELECT pg_catalog.set_config(s.name, '2s', false) FROM pg_catalog.pg_settings s
            WHERE s.name = 'client_connection_check_interval' AND pg_catalog.version() ~ 'linux'
            """, connection);
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (NpgsqlException problem)
        {
            await connection.DisposeAsync();
            throw Translate.Problem(problem);
        }
    }

    /// <summary>
    /// Of two who wait for each other the one that looks first gives way. Somebody's own REINDEX CONCURRENTLY that waits behind ours holds an MVCC snapshot
    /// that ours waits for: it must not be theirs that is ended.
    /// </summary>
    private const string FirstToGiveWay = "; SET deadlock_timeout = '50ms'";

    /// <summary>The driver would read pg_type at every start: a damaged catalog must not keep us out.</summary>
    private static NpgsqlDataSource Build(string text) => new NpgsqlSlimDataSourceBuilder(text)
        .ConfigureTypeLoading(loading => loading.EnableTypeLoading(false))
        .EnableArrays()
        .EnableTransportSecurity()
        .Build();

    private async ValueTask Prepare(NpgsqlConnection connection, bool readOnly, CancellationToken cancellationToken)
    {
        // One round trip. lc_messages and the two settings that make the server lenient are the superuser's, hence the separate block.
        var sql = $"""
            SET search_path = pg_catalog, pg_temp; SET row_security = off; SET statement_timeout = {Limits.Statement.TotalMilliseconds:0};
            SET lock_timeout = {Limits.Lock.TotalMilliseconds:0}; SET idle_in_transaction_session_timeout = 0; SET client_min_messages = error;
            SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET bytea_output = 'hex';
            SET extra_float_digits = 1; SET standard_conforming_strings = on; SET xmloption = content; SET jit = off;
            SET default_transaction_read_only = {(readOnly ? "on" : "off")}; SET default_transaction_isolation = 'read committed';
            SET default_transaction_deferrable = off
            """;
        const string strict = "SET lc_messages = 'C'; SET ignore_checksum_failure = off; SET zero_damaged_pages = off; SET session_replication_role = origin";
        await using var command = new NpgsqlCommand(sql, connection);
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
            command.CommandText = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
            if (await command.ExecuteScalarAsync(cancellationToken) is true)
            {
                command.CommandText = readOnly ? strict : strict + FirstToGiveWay;
                await command.ExecuteNonQueryAsync(cancellationToken);
            }
        }
        catch (NpgsqlException problem)
        {
            await connection.DisposeAsync();
            throw Translate.Problem(problem);
        }
    }
}
