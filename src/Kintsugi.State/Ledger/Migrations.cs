using System.Globalization;
using System.Reflection;
using Microsoft.Data.Sqlite;

namespace Kintsugi.State;

/// <summary>
/// Brings a ledger to this version's schema: embedded files NNN_name.sql, each once, in one transaction that shuts others out.
/// </summary>
internal static class Migrations
{
    /// <summary>Marks the file as ours (the word "KNTG" in ASCII): PRAGMA application_id.</summary>
    private const long ApplicationId = 0x4B4E5447;

    public static void Apply(SqliteConnection connection, string path)
    {
        var known = Known("");
        var newest = known[^1].Number;
        if (Settled(connection, newest, path))
            return;
        // BEGIN IMMEDIATE: of two processes that find an old ledger, one migrates and the other then finds it done.
        using var transaction = connection.BeginTransaction(deferred: false);
        if (Settled(connection, newest, path))
            return;
        var at = Sql.Number(connection, "pragma user_version");
        foreach (var migration in known.Where(migration => migration.Number > at))
        {
            Sql.Run(connection, migration.Text);
            Sql.Run(connection, $"pragma user_version = {migration.Number}");
        }
        Sql.Run(connection, $"pragma application_id = {ApplicationId}");
        transaction.Commit();
    }

    private static bool Settled(SqliteConnection connection, long newest, string path)
    {
        var version = Sql.Number(connection, "pragma user_version");
        var owner = Sql.Number(connection, "pragma application_id");
        if (owner != ApplicationId && (owner != 0 || Sql.Number(connection, "select count(*) from sqlite_schema") > 0))
            throw new StateException(
                $"{path} is a SQLite database, but not a ledger of Kintsugi. Name another state directory with $KINTSUGI_STATE.");
        if (version > newest)
            throw new StateException(
                $"the ledger {path} was written by a newer Kintsugi (schema {version}, this one knows {newest}). "
                + "Run that version, or name another state directory with $KINTSUGI_STATE.");
        return version == newest;
    }

    /// <param name="kind">Before the number in the names of the files.</param>
    public static List<(int Number, string Text)> Known(string kind)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var found = new List<(int Number, string Text)>();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.EndsWith(".sql", StringComparison.Ordinal)))
            if (name.StartsWith(kind, StringComparison.Ordinal) && int.TryParse(name.AsSpan(kind.Length, 3), CultureInfo.InvariantCulture, out var number))
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                found.Add((number, reader.ReadToEnd()));
            }
        return [.. found.OrderBy(migration => migration.Number)];
    }
}
