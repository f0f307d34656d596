using System.Data.Common;

namespace Kintsugi.State;

/// <summary>What was seen of a server and may be seen again: the newest value by key, and the history of its counters.</summary>
internal static class ObservationTables
{
    public static void Record(DbConnection connection, string server, Observation observation) => Sql.Run(
        connection, "insert into observations values (@server, @scope, @key, @value, @at) "
            + "on conflict (server, scope, key) do update set value = excluded.value, at = excluded.at",
        ("@server", server), ("@scope", observation.Scope), ("@key", observation.Key), ("@value", observation.Value),
        ("@at", Sql.Time(observation.At)));

    public static List<Observation> Of(DbConnection connection, string server, string scope) => Sql.Rows(
        connection, "select key, value, at from observations where server = @server and scope = @scope order by key",
        row => new Observation(scope, row.GetString(0), row.GetString(1), Sql.Time(row.GetString(2))), ("@server", server),
            ("@scope", scope));

    public static List<string> Servers(DbConnection connection, string scope) => Sql.Rows(
        connection, "select distinct server from observations where scope = @scope order by server", row => row.GetString(0), ("@scope", scope));

    public static void RecordCounters(DbConnection connection, string server, Counters counters, DateTimeOffset keepSince)
    {
        Sql.Run(connection, "insert into counters values (@server, @database, @at, @counters) "
            + "on conflict (server, database, at) do update set counters = excluded.counters",
            ("@server", server), ("@database", counters.Database), ("@at", Sql.Time(counters.At)), ("@counters", counters.Json));
        Sql.Run(connection, "delete from counters where server = @server and database = @database and at < @since",
            ("@server", server), ("@database", counters.Database), ("@since", Sql.Time(keepSince)));
    }

    public static List<Counters> CountersOf(DbConnection connection, string server, string database, int newest) => Sql.Rows(
        connection, "select at, counters from counters where server = @server and database = @database order by at desc limit "
            + "@newest",
        row => new Counters(database, row.GetString(1), Sql.Time(row.GetString(0))),
        ("@server", server), ("@database", database), ("@newest", newest));
}
