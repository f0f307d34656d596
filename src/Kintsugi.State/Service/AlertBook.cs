using System.Data.Common;

namespace Kintsugi.State;

/// <summary>Alerts that stand, and messages that wait for their receiver.</summary>
public sealed class AlertBook(StateStore store)
{
    /// <summary>Notes the alert's state and its messages in one transaction.</summary>
    /// <param name="severity">Of an alert that is resolved, the one it was raised with counts.</param>
    /// <param name="messages">The messages for an alert of that severity.</param>
    /// <returns>False when the alert was in that state already: nobody is told twice.</returns>
    public bool Say(
        string key, string state, Severity severity, Func<Severity, IReadOnlyCollection<(string Receiver, string Body)>> messages,
        DateTimeOffset at) => store.Change(connection =>
    {
        var before = Sql.Rows(connection, "select state, severity from alerts where key = @key", row => (State: row.GetString(0), Severity: row.GetString(1)),
            ("@key", key)).FirstOrDefault();
        if (before.State == state || (before.State is null && state == "resolved"))
            return false;
        var felt = state == "resolved" ? Enum.Parse<Severity>(before.Severity) : severity;
        Sql.Run(connection, "insert into alerts values (@key, @state, @severity, @at) "
            + "on conflict (key) do update set state = excluded.state, severity = excluded.severity, at = excluded.at", ("@key", key), ("@state", state),
            ("@severity", felt.ToString()), ("@at", Sql.Time(at)));
        foreach (var (receiver, body) in messages(felt))
            Post(connection, receiver, body, at);
        return true;
    });

    /// <summary>Keys of the alerts that stand and begin so.</summary>
    public IReadOnlyList<string> Firing(string prefix) => store.Look(connection => Sql.Rows(
        connection, "select key from alerts where state = 'firing' and substr(key, 1, length(@prefix)) = @prefix order by key",
        row => row.GetString(0), ("@prefix", prefix)));

    /// <summary>A message that belongs to no alert.</summary>
    public void Post(string receiver, string body, DateTimeOffset at) => store.Change(connection => Post(connection, receiver, body, at));

    private static void Post(DbConnection connection, string receiver, string body, DateTimeOffset at) => Sql.Run(
        connection, "insert into outbox (receiver, body, attempts, due, at) values (@receiver, @body, 0, @at, @at)",
        ("@receiver", receiver), ("@body", body), ("@at", Sql.Time(at)));

    /// <summary>
    /// Takes the oldest message of each receiver that is due: what follows waits behind it, so that a resolve never overtakes its alert. Nobody
    /// else gets it until then; whoever is killed with it in hand leaves it to the next.
    /// </summary>
    /// <param name="receiver">Null takes of every receiver.</param>
    public IReadOnlyList<Message> Take(string? receiver, DateTimeOffset now, DateTimeOffset until) => store.Change(connection => Sql.Rows(
        connection, """
            update outbox set due = @until where due <= @now and (@receiver is null or receiver = @receiver) and id in (select min(id) from outbox group by receiver)
            returning id, receiver, body, attempts, at
            """,
        row => new Message(row.GetInt64(0), row.GetString(1), row.GetString(2), row.Whole(3), Sql.Time(row.GetString(4))),
        ("@receiver", receiver), ("@now", Sql.Time(now)), ("@until", Sql.Time(until))));

    public long Waiting() => store.Look(connection => Sql.Number(connection, "select count(*) from outbox"));

    public void Sent(long message) => store.Change(connection => Sql.Run(connection, "delete from outbox where id = @id", ("@id", message)));

    public void Postpone(long message, DateTimeOffset due, string error) => store.Change(connection => Sql.Run(
        connection, "update outbox set attempts = attempts + 1, due = @due, error = @error where id = @id", ("@due", Sql.Time(due)),
        ("@error", error), ("@id", message)));
}

/// <summary>A message to a receiver that was not delivered yet.</summary>
public sealed record Message(long Id, string Receiver, string Body, int Attempts, DateTimeOffset At);
