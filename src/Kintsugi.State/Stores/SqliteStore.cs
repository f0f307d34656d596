using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Kintsugi.State;

/// <summary>A SQLite file (WAL, synchronous FULL): several processes of one machine may use it at once, and a kill at any moment leaves what was
/// committed and nothing else.</summary>
internal sealed class SqliteStore(string path, SqliteConnection connection) : StateStore
{
    private readonly Lock gate = new();

    public override string Place => path;

    public override bool IsShared => false;

    internal override T Look<T>(Func<DbConnection, T> work) => Locked(() => work(connection));

    internal override T Change<T>(Func<DbConnection, T> work) => Locked(() =>
    {
        // BEGIN IMMEDIATE: what is read and then changed is read and changed by one writer at a time.
        using var transaction = connection.BeginTransaction(deferred: false);
        var result = work(connection);
        transaction.Commit();
        return result;
    });

    internal override T Still<T>(Func<DbConnection, T> work) => Locked(() =>
    {
        using var snapshot = connection.BeginTransaction(deferred: true);
        return work(connection);
    });

    public override void Dispose() => connection.Dispose();

    private T Locked<T>(Func<T> work)
    {
        lock (gate)
            try
            {
                return work();
            }
            catch (SqliteException problem)
            {
                throw LedgerFile.Explain(problem, path);
            }
    }
}
