using Microsoft.Data.Sqlite;

namespace Kintsugi.State;

/// <summary>
/// The SQLite file under the ledger: made whole or not at all, opened with its settings, its faults told in words.
/// </summary>
internal static class LedgerFile
{
    /// <summary>A writer holds the file for milliseconds; one that holds it this long is stuck.</summary>
    private const int BusySeconds = 20;

    /// <exception cref="StateException">It is broken, not ours, newer than this version, or cannot be read or made.</exception>
    public static SqliteConnection Open(string path)
    {
        try
        {
            if (!File.Exists(path))
                Make(path);
            return Connect(path);
        }
        catch (SqliteException problem)
        {
            throw Explain(problem, path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new StateException($"the ledger {path} cannot be opened: {problem.Message} Check the rights of that file and "
                + "directory.", problem);
        }
    }

    /// <summary>
    /// A new ledger appears under its name complete: a file that exists and is empty is therefore always a broken one, never a
    /// new one.
    /// </summary>
    private static void Make(string path)
    {
        var draft = $"{path}.new-{Guid.NewGuid():N}";
        using (new FileStream(draft, PrivateFile.Create))
        {
        }
        using (var connection = Raw(draft))
        {
            Sql.Run(connection, "pragma journal_mode = wal");
            Migrations.Apply(connection, path);
        }
        // Of two processes that make one the first is the ledger's; whoever replaced it would split the facts between two files and one log.
        LinuxFiles.TakeName(draft, path);
    }

    private static SqliteConnection Connect(string path)
    {
        if (new FileInfo(path).Length == 0)
            throw Broken(path, "it is empty");
        var connection = Raw(path);
        try
        {
            Migrations.Apply(connection, path);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static SqliteConnection Raw(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = BusySeconds,
        }.ToString());
        try
        {
            connection.Open();
            // FULL: a fact must survive a power cut before the deed that it announces is begun.
            Sql.Run(connection, $"pragma busy_timeout = {BusySeconds * 1000}; pragma synchronous = full; pragma foreign_keys = "
                + "on");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>SQLite's result codes in words (sqlite.org/rescode.html).</summary>
    public static StateException Explain(SqliteException problem, string path) => problem.SqliteErrorCode switch
    {
        5 or 6 => new StateException(
            $"the ledger {path} was held by another process for more than {BusySeconds} s. Wait for it to end (kintsugi heal, "
                + "kintsugi serve) "
            + "and run again.", problem),
        8 or 14 => new StateException(
            $"the ledger {path} cannot be opened for writing. Run as the user that owns it, or name another directory with "
                + "$KINTSUGI_STATE.", problem),
        10 => new StateException($"the disk under the ledger {path} gives I/O errors: {problem.Message}. Look at the system log "
            + "first.", problem),
        11 or 26 => Broken(path, problem.Message, problem),
        13 => new StateException($"no room is left on the disk under the ledger {path}. Make room and run again.", problem),
        _ => new StateException($"the ledger {path} could not be used: {problem.Message}", problem),
    };

    private static StateException Broken(string path, string how, Exception? inner = null) => new(
        $"the ledger {path} is broken: {how}. Nothing was changed. Put back a copy of it, or move it aside to begin a new one "
        + $"(cases, approvals and proofs start empty; snapshots stay): mv '{path}' '{path}.broken'", inner);
}
