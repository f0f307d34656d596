using Microsoft.Data.Sqlite;

namespace Kintsugi.State;

/// <summary>
/// The ledger in an embedded SQLite file (WAL, synchronous FULL): several processes may use it at once, and a kill at any
/// moment leaves
/// every fact that was appended and none that was not.
/// </summary>
public sealed class SqliteLedger : ILedger, IMemory, IAsyncDisposable, IDisposable
{
    /// <summary>Counters are compared with those of days ago, not of years ago.</summary>
    private static readonly TimeSpan CountersKept = TimeSpan.FromDays(30);

    private readonly SqliteConnection connection;
    private readonly SemaphoreSlim gate = new(1);

    private SqliteLedger(string path, SqliteConnection connection)
    {
        Path = path;
        this.connection = connection;
    }

    public string Path { get; }

    /// <exception cref="StateException">It is broken, not ours, newer than this version, or cannot be opened.</exception>
    public static SqliteLedger Open(StateDirectory directory) => Open(directory.Ledger);

    public static SqliteLedger Open(string path) => new(path, LedgerFile.Open(path));

    public ValueTask Append(Fact fact, CancellationToken cancellationToken) => Change(() =>
    {
        CaseTable.Take(connection, FactTable.Append(connection, fact));
    }, cancellationToken);

    public ValueTask<IReadOnlyList<Fact>> FactsOf(string caseId, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<Fact>>(() => FactTable.Of(connection, caseId), cancellationToken);

    public ValueTask<IReadOnlyList<CaseRow>> Cases(string? server, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<CaseRow>>(() => CaseTable.List(connection, server), cancellationToken);

    public ValueTask RecordProofs(string server, ScrubReport report, CancellationToken cancellationToken) =>
        Change(() => ScrubTables.Record(connection, server, report), cancellationToken);

    public ValueTask<IReadOnlyList<Proof>> Proofs(string server, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<Proof>>(() => ScrubTables.Proofs(connection, server), cancellationToken);

    public ValueTask<IReadOnlyDictionary<string, Sighting>> Sightings(string server, CancellationToken cancellationToken) =>
        Look<IReadOnlyDictionary<string, Sighting>>(
            () => ScrubTables.Sightings(connection, server).ToDictionary(sighting => sighting.Finding), cancellationToken);

    public ValueTask<IReadOnlyList<Fact>> Baseline(string server, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<Fact>>(() => FactTable.OfKinds(connection, server, Facts.Accepted, Facts.Acknowledged),
            cancellationToken);

    public ValueTask Observe(string server, IReadOnlyCollection<Observation> observations, CancellationToken cancellationToken) =>
        Change(() =>
    {
        foreach (var observation in observations)
            ObservationTables.Record(connection, server, observation);
    }, cancellationToken);

    public ValueTask<IReadOnlyList<Observation>> Observations(string server, string scope, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<Observation>>(() => ObservationTables.Of(connection, server, scope), cancellationToken);

    /// <summary>Servers of which something of that scope was observed.</summary>
    public ValueTask<IReadOnlyList<string>> Servers(string scope, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<string>>(() => ObservationTables.Servers(connection, scope), cancellationToken);

    public ValueTask RecordCounters(string server, Counters counters, CancellationToken cancellationToken) =>
        Change(() => ObservationTables.RecordCounters(connection, server, counters, counters.At - CountersKept),
            cancellationToken);

    public ValueTask<IReadOnlyList<Counters>> CountersOf(string server, string database, int newest,
        CancellationToken cancellationToken) =>
        Look<IReadOnlyList<Counters>>(() => ObservationTables.CountersOf(connection, server, database, newest),
            cancellationToken);

    /// <summary>
    /// Reads the whole ledger: its pages, its chain of hashes, and whether the listing of cases is what the facts say.
    /// </summary>
    /// <returns>What is wrong, in sentences; empty when nothing is.</returns>
    public ValueTask<IReadOnlyList<string>> Verify(CancellationToken cancellationToken) => Look<IReadOnlyList<string>>(() =>
    {
        // One read transaction: another process may append meanwhile.
        using var snapshot = connection.BeginTransaction(deferred: true);
        var pages = Sql.Rows(connection, "pragma integrity_check", row => row.GetString(0)).Where(line => line != "ok");
        var link = FactTable.FirstBreak(connection);
        var told = new Dictionary<string, CaseRow?>();
        foreach (var fact in FactTable.All(connection))
            told[fact.Case] = CaseProjection.After(told.GetValueOrDefault(fact.Case), fact);
        var listed = CaseTable.List(connection, null).ToDictionary(row => row.Id);
        var strays = told.Values.OfType<CaseRow>().Where(row => listed.GetValueOrDefault(row.Id) != row)
            .Select(row => $"case {row.Id} is listed otherwise than its facts tell it");
        return [.. pages, .. link is null ? [] : new[] { link }, .. strays];
    }, cancellationToken);

    public void Dispose()
    {
        connection.Dispose();
        gate.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask Change(Action work, CancellationToken cancellationToken) => await Look(() =>
    {
        // BEGIN IMMEDIATE: the chain's head is read and moved by one writer at a time.
        using var transaction = connection.BeginTransaction(deferred: false);
        work();
        transaction.Commit();
        return true;
    }, cancellationToken);

    private async ValueTask<T> Look<T>(Func<T> work, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            return work();
        }
        catch (SqliteException problem)
        {
            throw LedgerFile.Explain(problem, Path);
        }
        finally
        {
            gate.Release();
        }
    }
}
