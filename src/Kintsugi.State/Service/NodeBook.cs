namespace Kintsugi.State;

/// <summary>
/// Which services work with these books, and who of them holds what: a lease ends by itself, so that a node that was killed is followed, and its
/// number rises with each holder, so that one that only slept sees that it was.
/// </summary>
public sealed class NodeBook(StateStore store)
{
    /// <summary>The time on which all who share these books agree; the clocks of two machines may not.</summary>
    public DateTimeOffset Now(TimeProvider clock) => !store.IsShared ? clock.GetUtcNow() : store.Look(connection => Sql.Time(Sql.Rows(connection,
        "select pg_catalog.to_char(pg_catalog.clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"0Z\"')", row => row.GetString(0))[0]));

    /// <summary>Says that a node is there.</summary>
    public void Greet(WorkingNode node) => store.Change(connection => Sql.Run(connection, """
        insert into nodes values (@name, @configuration, @version, @started, @seen) on conflict (name) do update set
            configuration = excluded.configuration, version = excluded.version, started = excluded.started, seen = excluded.seen
        """, ("@name", node.Name), ("@configuration", node.Configuration), ("@version", node.Version), ("@started", Sql.Time(node.Started)),
        ("@seen", Sql.Time(node.Seen))));

    public void Leave(string node) => store.Change(connection =>
    {
        Sql.Run(connection, "delete from nodes where name = @name", ("@name", node));
        Sql.Run(connection, "update leases set until = '' where holder = @name", ("@name", node));
    });

    /// <summary>Those that were seen since then.</summary>
    public IReadOnlyList<WorkingNode> Seen(DateTimeOffset since) => store.Look(connection => Sql.Rows(
        connection, "select name, configuration, version, started, seen from nodes where seen >= @since order by name",
        row => new WorkingNode(row.GetString(0), row.GetString(1), row.GetString(2), Sql.Time(row.GetString(3)), Sql.Time(row.GetString(4))),
        ("@since", Sql.Time(since))));

    /// <summary>Takes a lease that is free or ours, or lengthens it.</summary>
    /// <returns>Its number, or null while another one holds it.</returns>
    public long? Hold(string lease, string node, DateTimeOffset now, DateTimeOffset until) => store.Change<long?>(connection => Sql.Rows(connection, """
        insert into leases values (@name, @node, @until, 1) on conflict (name) do update set holder = excluded.holder, until = excluded.until,
            fence = case when leases.holder = excluded.holder and leases.until > @now then leases.fence else leases.fence + 1 end
        where leases.holder = excluded.holder or leases.until <= @now
        returning fence
        """, row => row.GetInt64(0), ("@name", lease), ("@node", node), ("@now", Sql.Time(now)), ("@until", Sql.Time(until)))
        is [var fence] ? fence : null);

    /// <summary>Lengthens what that node holds; what it has lost stays lost.</summary>
    public void Renew(string node, DateTimeOffset now, DateTimeOffset until) => store.Change(connection => Sql.Run(
        connection, "update leases set until = @until where holder = @node and until > @now",
        ("@until", Sql.Time(until)), ("@node", node), ("@now", Sql.Time(now))));

    /// <summary>Whether nobody took that lease since it was taken with that number.</summary>
    public bool IsHeld(string lease, long fence) => store.Look(connection =>
        Sql.Number(connection, "select fence from leases where name = @name", ("@name", lease))) == fence;

    public void Release(string lease, long fence) => store.Change(connection => Sql.Run(
        connection, "update leases set until = '' where name = @name and fence = @fence", ("@name", lease), ("@fence", fence)));

    /// <summary>Runs of nodes that are not there any more did not end by themselves.</summary>
    /// <param name="since">Nodes that were not seen since then are gone.</param>
    /// <param name="self">Its own runs of an earlier life are ended with <paramref name="started"/>.</param>
    public int EndLost(DateTimeOffset since, string self, DateTimeOffset started, DateTimeOffset at) => store.Change(connection => Sql.Run(connection, """
        update runs set state = 'lost', ended = @at where state = 'running'
            and (node not in (select name from nodes where seen >= @since) or (node = @self and started < @started))
        """, ("@at", Sql.Time(at)), ("@since", Sql.Time(since)), ("@self", self), ("@started", Sql.Time(started))));

    /// <summary>The version of something that is kept here, or takes the place of an older one.</summary>
    /// <returns>The newest that was ever here.</returns>
    public long Version(string name, long ours) => store.Change(connection =>
    {
        var before = Sql.Number(connection, "select coalesce(max(number), 0) from versions where name = @name", ("@name", name));
        if (ours > before)
            Sql.Run(connection, "insert into versions values (@name, @number) on conflict (name) do update set number = excluded.number",
                ("@name", name), ("@number", ours));
        return Math.Max(before, ours);
    });
}

/// <summary>A service that works with these books.</summary>
/// <param name="Configuration">A sum over its configuration: nodes that differ in it are told.</param>
public sealed record WorkingNode(string Name, string Configuration, string Version, DateTimeOffset Started, DateTimeOffset Seen);
