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

    /// <summary>The session that asked what the server is becomes the first that looks: connecting costs more than many a look.</summary>
    public bool KeepsFirst { get; init; }
}

/// <summary>The only code that opens connections to a patient.</summary>
/// <param name="connectionString">Npgsql's text for that database; null for the one that was named first.</param>
public sealed class SessionFactory(Func<string?, string> connectionString, SessionLimits limits) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, NpgsqlDataSource> sources = new();
    private ReadSession? kept;

    public SessionLimits Limits { get; } = limits;

    public async ValueTask<ReadSession> OpenRead(string? database, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref kept, null) is { } first)
        {
            if (first.Database == database)
                return first;
            await first.DisposeAsync();
        }
        return new ReadSession(await Connect(cancellationToken), Limits, Connect);

        async ValueTask<NpgsqlConnection> Connect(CancellationToken stop)
        {
            var connection = await Open(database, stop);
            await Prepare(connection, readOnly: true, stop);
            return connection;
        }
    }

    /// <summary>The caller has done with a session: it is closed, or kept for who asks for one of its database next.</summary>
    internal async ValueTask Leave(ReadSession session)
    {
        var before = Limits.KeepsFirst ? Interlocked.Exchange(ref kept, session) : session;
        if (before is not null)
            await before.DisposeAsync();
    }

    public async ValueTask<WriteSession> OpenWrite(string? database, CancellationToken cancellationToken)
    {
        var connection = await Open(database, cancellationToken);
        await Prepare(connection, readOnly: false, cancellationToken);
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
        if (Interlocked.Exchange(ref kept, null) is { } first)
            await first.DisposeAsync();
        foreach (var source in sources.Values)
            await source.DisposeAsync();
    }

    /// <summary>
    /// A backend whose client was killed goes on with its statement, and with our locks, until it next writes to the connection; from 14 on
    /// it can look for itself (client_connection_check_interval, which only some systems support).
    /// </summary>
    private const string NoticeOurEnd =
        "; SELECT pg_catalog.set_config('client_connection_check_interval', '2s', false) WHERE pg_catalog.version() ~ 'linux'";

    /// <summary>What the ledger calls done must outlive a loss of power, whatever applications may risk.</summary>
    private const string KeepWhatIsDone =
        "; SELECT pg_catalog.set_config('synchronous_commit', 'local', false) WHERE pg_catalog.current_setting('synchronous_commit') = 'off'";

    /// <summary>
    /// Of two who wait for each other the one that looks first gives way. Somebody's own REINDEX CONCURRENTLY that waits behind ours holds an MVCC snapshot
    /// that ours waits for: it must not be theirs that is ended.
    /// </summary>
    private const string FirstToGiveWay = "; SET deadlock_timeout = '50ms'";

    private const string Pooled = "kintsugi.another_backend";

    /// <summary>What is said where a session is not a backend of its own.</summary>
    internal const string BehindPooler = "a connection pooler stands between Kintsugi and the server: what a session sets and locks here would stay with a backend "
        + "that is then handed to others. Nothing was set. Connect to the server itself, at its own host and port";

    /// <summary>
    /// First of all: behind a pooler in transaction mode our READ ONLY and our search_path would stay with a backend that serves an application next. A pooler
    /// hands out keys of its own; the error takes back all that was sent with it, and in a server that answers for itself nothing is evaluated.
    /// </summary>
    private static string NobodyElses(int backend) =>
        $"SELECT CASE WHEN pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.<>) {backend} THEN pg_catalog.current_setting('{Pooled}') END";

    /// <summary>The driver would read pg_type at every start: a damaged catalog must not keep us out.</summary>
    private static NpgsqlDataSource Build(string text) => new NpgsqlSlimDataSourceBuilder(text)
        .ConfigureTypeLoading(loading => loading.EnableTypeLoading(false))
        .EnableArrays()
        .EnableTransportSecurity()
        .Build();

    private async ValueTask Prepare(NpgsqlConnection connection, bool readOnly, CancellationToken cancellationToken)
    {
        // lc_messages and the two settings that make the server lenient are the superuser's.
        var sql = $"""
            {NobodyElses(connection.ProcessID)}; SET search_path = pg_catalog, pg_temp; SET row_security = off; SET statement_timeout = {Limits.Statement.TotalMilliseconds:0};
            SET lock_timeout = {Limits.Lock.TotalMilliseconds:0}; SET idle_in_transaction_session_timeout = 0; SET client_min_messages = error;
            SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET bytea_output = 'hex';
            SET extra_float_digits = 1; SET standard_conforming_strings = on; SET xmloption = content; SET jit = off;
            SET default_transaction_read_only = {(readOnly ? "on" : "off")}; SET default_transaction_isolation = 'read committed';
            SET default_transaction_deferrable = off
            """;
        // A session that holds the locks is idle while another one works, or while a snapshot is copied.
        if (connection.PostgreSqlVersion.Major >= 14)
            sql += "; SET idle_session_timeout = 0";
        if (connection.PostgreSqlVersion.Major >= 17)
            sql += "; SET transaction_timeout = 0";
        if (!readOnly)
            sql += KeepWhatIsDone;
        if ((Limits.EndsWithUs || !readOnly) && connection.PostgreSqlVersion.Major >= 14)
            sql += NoticeOurEnd;
        var strict = "SET lc_messages = 'C'; SET ignore_checksum_failure = off; SET zero_damaged_pages = off; SET session_replication_role = origin"
            + (readOnly ? "" : FirstToGiveWay);
        // Told at the start by the server itself, though not by every pooler in between: then it is asked, for one round trip more.
        var super = connection.PostgresParameters.TryGetValue("is_superuser", out var told) ? told == "on" : (bool?)null;
        await using var command = new NpgsqlCommand(super == true ? $"{sql}; {strict}" : sql, connection);
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
            if (super is null)
            {
                command.CommandText = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
                if (await command.ExecuteScalarAsync(cancellationToken) is true)
                {
                    command.CommandText = strict;
                    await command.ExecuteNonQueryAsync(cancellationToken);
                }
            }
        }
        catch (PostgresException pooled) when (pooled.MessageText.Contains(Pooled, StringComparison.Ordinal))
        {
            await connection.DisposeAsync();
            throw new PatientException(null, BehindPooler, pooled);
        }
        catch (NpgsqlException problem)
        {
            await connection.DisposeAsync();
            throw Translate.Problem(problem);
        }
    }
}
