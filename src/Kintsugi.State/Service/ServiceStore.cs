using Microsoft.Data.Sqlite;

namespace Kintsugi.State;

/// <summary>The file under the service's books, beside the ledger: used by the service and by the command line at once.</summary>
public sealed class ServiceStore : IDisposable
{
    private const string Schema = """
        create table if not exists runs (id integer primary key autoincrement, job text not null, target text not null, argument text not null,
            state text not null, started text not null, ended text, message text, rows integer not null default 0) strict;
        create index if not exists runs_by_job on runs (job, target, started);
        create table if not exists schedule (job text not null, target text not null, interval integer not null, next text, previous text,
            primary key (job, target)) strict;
        create table if not exists switches (name text primary key, until text, because text not null, by text not null, at text not null) strict;
        create table if not exists requests (id integer primary key autoincrement, verb text not null, job text not null, target text,
            argument text, by text not null, at text not null) strict;
        create table if not exists alerts (key text primary key, state text not null, severity text not null, at text not null) strict;
        create table if not exists outbox (id integer primary key autoincrement, receiver text not null, body text not null, attempts integer not null,
            due text not null, at text not null, error text) strict
        """;

    private readonly SqliteConnection connection;
    private readonly Lock gate = new();

    /// <exception cref="StateException">The file cannot be opened or is broken.</exception>
    public ServiceStore(string path)
    {
        Path = path;
        if (!File.Exists(path))
            new FileStream(path, PrivateFile.Create).Dispose();
        connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 20 }.ToString());
        try
        {
            connection.Open();
            Sql.Run(connection, "pragma journal_mode = wal; pragma synchronous = full");
            Sql.Run(connection, Schema);
        }
        catch (SqliteException problem)
        {
            connection.Dispose();
            throw LedgerFile.Explain(problem, path);
        }
    }

    public string Path { get; }

    /// <exception cref="StateException">The file is full, broken or held by another process for too long.</exception>
    internal T Use<T>(Func<SqliteConnection, T> work)
    {
        lock (gate)
            try
            {
                return work(connection);
            }
            catch (SqliteException problem)
            {
                throw LedgerFile.Explain(problem, Path);
            }
    }

    internal void Use(Action<SqliteConnection> work) => Use(open =>
    {
        work(open);
        return true;
    });

    public void Dispose() => connection.Dispose();
}
