using Microsoft.Data.Sqlite;

namespace Kintsugi.State;

/// <summary>What the service remembers beside the ledger: runs of jobs, switches (pauses), alerts that stand, and messages that wait.</summary>
public sealed class ServiceBook : IDisposable
{
    private const string Schema = """
        create table if not exists runs (id integer primary key autoincrement, job text not null, target text not null, argument text not null,
            state text not null, started text not null, ended text, message text, rows integer not null default 0) strict;
        create index if not exists runs_by_job on runs (job, started);
        create table if not exists switches (name text primary key, until text, because text not null, by text not null) strict;
        create table if not exists alerts (key text primary key, state text not null, at text not null) strict;
        create table if not exists outbox (id integer primary key autoincrement, receiver text not null, body text not null, attempts integer not null,
            due text not null, error text) strict
        """;

    private readonly SqliteConnection connection;
    private readonly Lock gate = new();

    /// <exception cref="StateException">The file cannot be opened or is broken.</exception>
    public ServiceBook(string path)
    {
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

    public long Begin(string job, string target, string argument, DateTimeOffset at)
    {
        lock (gate)
        {
            Sql.Run(connection, "insert into runs (job, target, argument, state, started) values ($job, $target, $argument, 'running', $at)",
                ("$job", job), ("$target", target), ("$argument", argument), ("$at", Sql.Time(at)));
            return Sql.Number(connection, "select last_insert_rowid()");
        }
    }

    public void End(long run, string state, string? message, long rows, DateTimeOffset at, TimeSpan keep)
    {
        lock (gate)
        {
            Sql.Run(connection, "update runs set state = $state, message = $message, rows = $rows, ended = $at where id = $id",
                ("$state", state), ("$message", message), ("$rows", rows), ("$at", Sql.Time(at)), ("$id", run));
            Sql.Run(connection, "delete from runs where started < $old", ("$old", Sql.Time(at - keep)));
        }
    }

    /// <summary>What a killed process left running did not end by itself.</summary>
    public void EndLost(DateTimeOffset at)
    {
        lock (gate)
            Sql.Run(connection, "update runs set state = 'lost', ended = $at where state = 'running'", ("$at", Sql.Time(at)));
    }

    public IReadOnlyList<JobRun> Runs(int newest)
    {
        lock (gate)
            return Sql.Rows(connection, "select id, job, target, argument, state, started, ended, message from runs order by id desc limit $newest",
                row => new JobRun(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), Sql.Time(row.GetString(5)),
                    row.TextOrNull(6) is { } end ? Sql.Time(end) : null, row.TextOrNull(7)), ("$newest", newest));
    }

    /// <summary>Healed and ended repairs since then.</summary>
    public (long Healed, long Ended) Repairs(DateTimeOffset since)
    {
        lock (gate)
            return (Count("and state = 'healed'"), Count("and state in ('healed', 'escalated')"));

        long Count(string which) => Sql.Number(
            connection, $"select count(*) from runs where job = 'db.repair' and started >= $since {which}", ("$since", Sql.Time(since)));
    }

    /// <summary>Rows that repairs changed or put away since then.</summary>
    public long RowsTouched(DateTimeOffset since)
    {
        lock (gate)
            return Sql.Number(connection, "select coalesce(sum(rows), 0) from runs where started >= $since", ("$since", Sql.Time(since)));
    }

    /// <summary>Keys of the alerts that stand and begin so.</summary>
    public IReadOnlyList<string> Firing(string prefix)
    {
        lock (gate)
            return Sql.Rows(connection, "select key from alerts where state = 'firing' and substr(key, 1, length($prefix)) = $prefix",
                row => row.GetString(0), ("$prefix", prefix));
    }

    public void Set(Switch pause)
    {
        lock (gate)
            Sql.Run(connection, "insert or replace into switches values ($name, $until, $because, $by)", ("$name", pause.Name),
                ("$until", pause.Until is { } until ? Sql.Time(until) : null), ("$because", pause.Because), ("$by", pause.By));
    }

    public void Clear(string name)
    {
        lock (gate)
            Sql.Run(connection, "delete from switches where name = $name", ("$name", name));
    }

    /// <summary>The switch that stands at that time, or null.</summary>
    public Switch? Standing(string name, DateTimeOffset now)
    {
        lock (gate)
            return Sql.Rows(connection, "select until, because, by from switches where name = $name and (until is null or until > $now)",
                row => new Switch(name, row.TextOrNull(0) is { } until ? Sql.Time(until) : null, row.GetString(1), row.GetString(2)),
                ("$name", name), ("$now", Sql.Time(now))).FirstOrDefault();
    }

    /// <summary>Notes the alert's state and its messages in one transaction.</summary>
    /// <returns>False when the alert was in that state already: nobody is told twice.</returns>
    public bool Alert(string key, string state, IReadOnlyCollection<(string Receiver, string Body)> messages, DateTimeOffset at)
    {
        lock (gate)
        {
            using var transaction = connection.BeginTransaction(deferred: false);
            var before = Sql.Rows(connection, "select state from alerts where key = $key", row => row.GetString(0), ("$key", key)).FirstOrDefault();
            if (before == state || (before is null && state == "resolved"))
                return false;
            Sql.Run(connection, "insert or replace into alerts values ($key, $state, $at)", ("$key", key), ("$state", state), ("$at", Sql.Time(at)));
            foreach (var (receiver, body) in messages)
                Sql.Run(connection, "insert into outbox (receiver, body, attempts, due) values ($receiver, $body, 0, $at)",
                    ("$receiver", receiver), ("$body", body), ("$at", Sql.Time(at)));
            transaction.Commit();
            return true;
        }
    }

    public IReadOnlyList<Message> Due(DateTimeOffset now)
    {
        lock (gate)
            return Sql.Rows(connection, "select id, receiver, body, attempts from outbox where due <= $now order by id limit 50",
                row => new Message(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt32(3)), ("$now", Sql.Time(now)));
    }

    public void Sent(long message)
    {
        lock (gate)
            Sql.Run(connection, "delete from outbox where id = $id", ("$id", message));
    }

    public void Postpone(long message, DateTimeOffset due, string error)
    {
        lock (gate)
            Sql.Run(connection, "update outbox set attempts = attempts + 1, due = $due, error = $error where id = $id",
                ("$due", Sql.Time(due)), ("$error", error), ("$id", message));
    }

    public void Dispose() => connection.Dispose();
}

public sealed record JobRun(
    long Id, string Job, string Target, string Argument, string State, DateTimeOffset Started, DateTimeOffset? Ended, string? Message);

/// <summary>Something that is stopped until a time, or until it is taken back.</summary>
public sealed record Switch(string Name, DateTimeOffset? Until, string Because, string By);

/// <summary>A message to a receiver that was not delivered yet.</summary>
public sealed record Message(long Id, string Receiver, string Body, int Attempts);
