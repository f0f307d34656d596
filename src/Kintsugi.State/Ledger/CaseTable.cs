using System.Data.Common;

namespace Kintsugi.State;

/// <summary>The listing of cases, written in the same transaction as the fact that changed it.</summary>
internal static class CaseTable
{
    private const string Columns =
        "id, server, database, object, fault, cause, state, reason, attempts, snapshot, first_seen, last_changed";

    public static void Take(DbConnection connection, Fact fact)
    {
        var row = Sql.Rows(connection, $"select {Columns} from cases where id = @id", Read, ("@id", fact.Case)).FirstOrDefault();
        if (CaseProjection.After(row, fact) is { } changed && changed != row)
            Write(connection, changed);
    }

    public static List<CaseRow> List(DbConnection connection, string? server) => Sql.Rows(
        connection, $"select {Columns} from cases where @server is null or server = @server order by last_changed desc, id", Read,
        ("@server", server));

    private static void Write(DbConnection connection, CaseRow row) => Sql.Run(
        connection,
        $"""
        insert into cases ({Columns})
        values (@id, @server, @database, @object, @fault, @cause, @state, @reason, @attempts, @snapshot, @first, @last)
        on conflict (id) do update set server = excluded.server, database = excluded.database, object = excluded.object, fault = excluded.fault,
            cause = excluded.cause, state = excluded.state, reason = excluded.reason, attempts = excluded.attempts, snapshot = excluded.snapshot,
            first_seen = excluded.first_seen, last_changed = excluded.last_changed
        """,
        ("@id", row.Id), ("@server", row.Server), ("@database", row.Database), ("@object", row.Object), ("@fault", row.Fault),
        ("@cause", row.Cause), ("@state", row.State), ("@reason", row.Reason), ("@attempts", row.Attempts),
            ("@snapshot", row.Snapshot),
        ("@first", Sql.Time(row.FirstSeen)), ("@last", Sql.Time(row.LastChanged)));

    private static CaseRow Read(DbDataReader row) => new(
        row.GetString(0), row.GetString(1), row.TextOrNull(2), row.GetString(3), row.GetString(4), row.GetString(5),
            row.GetString(6),
        row.TextOrNull(7), row.Whole(8), row.TextOrNull(9), Sql.Time(row.GetString(10)), Sql.Time(row.GetString(11)));
}
