using System.Globalization;
using Npgsql;

namespace Kintsugi.State;

/// <summary>Brings the schema in a PostgreSQL database to this version: each file once, in one transaction that shuts other nodes out.</summary>
internal static class PostgresMigrations
{
    private const string Schema = PostgresStore.Schema;

    /// <exception cref="StateException">It is of a newer version, or is not ours.</exception>
    public static void Apply(NpgsqlConnection connection, string place)
    {
        var known = Migrations.Known("postgres-");
        var newest = known[^1].Number;
        if (Settled(connection, newest, place))
            return;
        using var transaction = connection.BeginTransaction();
        // Of nodes that start together one makes the schema, the others wait here and then find it made.
        Sql.Run(connection, "select pg_catalog.pg_advisory_xact_lock(1802071668, 11)");
        if (Settled(connection, newest, place))
            return;
        if (Sql.Number(connection, $"select count(*) from pg_catalog.pg_namespace where nspname = '{Schema}'") == 0)
            Sql.Run(connection, $"create schema {Schema}");
        Sql.Run(connection, $"create table if not exists {Schema}.versions (name text primary key, number bigint not null)");
        var at = Version(connection);
        foreach (var migration in known.Where(migration => migration.Number > at))
            Sql.Run(connection, migration.Text);
        Sql.Run(connection, $"insert into {Schema}.versions values ('schema', @number) on conflict (name) do update set number = excluded.number",
            ("@number", (long)newest));
        transaction.Commit();
    }

    private static bool Settled(NpgsqlConnection connection, long newest, string place)
    {
        var tables = Sql.Number(connection, $"""
            select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = '{Schema}' and c.relkind = 'r'
            """);
        var isOurs = Sql.Number(connection, $"select count(*) where pg_catalog.to_regclass('{Schema}.versions') is not null") == 1;
        if (tables > 0 && !isOurs)
            throw new StateException($"the schema {Schema} in {place} is not a ledger of Kintsugi. Name another database with ledger: {{ postgres: … }}.");
        var version = isOurs ? Version(connection) : 0;
        if (version > newest)
            throw new StateException(string.Create(CultureInfo.InvariantCulture,
                $"the ledger {place} was written by a newer Kintsugi (schema {version}, this one knows {newest}). Run that version on every node."));
        return version == newest;
    }

    private static long Version(NpgsqlConnection connection) =>
        Sql.Number(connection, $"select coalesce(max(number), 0) from {Schema}.versions where name = 'schema'");
}
