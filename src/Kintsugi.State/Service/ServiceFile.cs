using Microsoft.Data.Sqlite;

namespace Kintsugi.State;

/// <summary>The file under the service's books, beside the ledger: used by the service and by the command line at once.</summary>
public static class ServiceFile
{
    private const long Newest = 3;

    private const string First = """
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

    private const string Second = """
        alter table runs add column node text not null default '';
        alter table runs add column cancelled_by text;
        create table nodes (name text primary key, configuration text not null, version text not null, started text not null, seen text not null) strict;
        create table leases (name text primary key, holder text not null, until text not null, fence integer not null) strict;
        create table proven (look text not null, piece text not null, at text not null, primary key (look, piece)) strict;
        create table versions (name text primary key, number integer not null) strict
        """;

    private const string Third = "alter table runs add column units text";

    /// <exception cref="StateException">The file cannot be opened, is broken or of a newer version.</exception>
    public static StateStore Open(string path)
    {
        if (!File.Exists(path))
            new FileStream(path, PrivateFile.Create).Dispose();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 20 }.ToString());
        try
        {
            connection.Open();
            Sql.Run(connection, "pragma journal_mode = wal; pragma synchronous = full");
            Migrate(connection, path);
            return new SqliteStore(path, connection);
        }
        catch (SqliteException problem)
        {
            connection.Dispose();
            throw LedgerFile.Explain(problem, path);
        }
        catch (StateException)
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Migrate(SqliteConnection connection, string path)
    {
        using var transaction = connection.BeginTransaction(deferred: false);
        var at = Sql.Number(connection, "pragma user_version");
        if (at > Newest)
            throw new StateException($"{path} was written by a newer Kintsugi (version {at}, this one knows {Newest}). Run that version.");
        if (at == Newest)
            return;
        Sql.Run(connection, First);
        if (at < 2)
            Sql.Run(connection, Second);
        Sql.Run(connection, Third);
        Sql.Run(connection, $"pragma user_version = {Newest}");
        transaction.Commit();
    }
}
