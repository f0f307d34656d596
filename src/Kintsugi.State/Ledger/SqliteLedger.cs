using System.Data.Common;

namespace Kintsugi.State;

/// <summary>
/// The ledger in an embedded SQLite file (WAL, synchronous FULL): several processes may use it at once, and a kill at any
/// moment leaves
/// every fact that was appended and none that was not.
/// </summary>
public sealed class SqliteLedger : StoredLedger
{
    private SqliteLedger(string path)
        : base(new SqliteStore(path, LedgerFile.Open(path)))
    {
    }

    public string Path => Place;

    /// <exception cref="StateException">It is broken, not ours, newer than this version, or cannot be opened.</exception>
    public static SqliteLedger Open(StateDirectory directory) => Open(directory.Ledger);

    public static SqliteLedger Open(string path) => new(path);

    private protected override IEnumerable<string> Pages(DbConnection connection) =>
        Sql.Rows(connection, "pragma integrity_check", row => row.GetString(0)).Where(line => line != "ok");
}
