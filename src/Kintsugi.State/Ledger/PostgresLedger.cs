namespace Kintsugi.State;

/// <summary>The ledger of several nodes, in a PostgreSQL database that is not under care.</summary>
/// <param name="store">It may hold the service's books too; whoever opened it disposes it.</param>
public sealed class PostgresLedger(PostgresStore store) : StoredLedger(store)
{
    /// <summary>Of the server on which it lies.</summary>
    public string SystemIdentifier => store.SystemIdentifier;

    /// <exception cref="StateException">It is away, refuses us, or was written by a newer version.</exception>
    public static PostgresLedger Open(string connection) => new(PostgresStore.Open(connection));
}
