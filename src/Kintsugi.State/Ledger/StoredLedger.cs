using System.Data.Common;

namespace Kintsugi.State;

/// <summary>The ledger over a store of ours: the same facts, listing and chain of hashes wherever they lie.</summary>
public abstract class StoredLedger(StateStore store) : ILedger, IMemory, IAsyncDisposable, IDisposable
{
    /// <summary>Counters are compared with those of days ago, not of years ago.</summary>
    private static readonly TimeSpan CountersKept = TimeSpan.FromDays(30);

    /// <summary>Where it is, for people.</summary>
    public string Place => store.Place;

    public ValueTask Append(Fact fact, CancellationToken cancellationToken) => Change(connection =>
        CaseTable.Take(connection, FactTable.Append(connection, fact)), cancellationToken);

    public ValueTask<IReadOnlyList<Fact>> FactsOf(string caseId, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<Fact>>(connection => FactTable.Of(connection, caseId), cancellationToken);

    public ValueTask<IReadOnlyList<CaseRow>> Cases(string? server, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<CaseRow>>(connection => CaseTable.List(connection, server), cancellationToken);

    public ValueTask RecordProofs(string server, ScrubReport report, CancellationToken cancellationToken) =>
        Change(connection => ScrubTables.Record(connection, server, report), cancellationToken);

    public ValueTask<IReadOnlyList<Proof>> Proofs(string server, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<Proof>>(connection => ScrubTables.Proofs(connection, server), cancellationToken);

    public ValueTask<IReadOnlyDictionary<string, Sighting>> Sightings(string server, CancellationToken cancellationToken) =>
        Look<IReadOnlyDictionary<string, Sighting>>(
            connection => ScrubTables.Sightings(connection, server).ToDictionary(sighting => sighting.Finding), cancellationToken);

    public ValueTask<IReadOnlyList<Fact>> Baseline(string server, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<Fact>>(connection => FactTable.OfKinds(connection, server, Facts.Accepted, Facts.Acknowledged),
            cancellationToken);

    public ValueTask Observe(string server, IReadOnlyCollection<Observation> observations, CancellationToken cancellationToken) =>
        Change(connection =>
    {
        foreach (var observation in observations)
            ObservationTables.Record(connection, server, observation);
    }, cancellationToken);

    public ValueTask<IReadOnlyList<Observation>> Observations(string server, string scope, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<Observation>>(connection => ObservationTables.Of(connection, server, scope), cancellationToken);

    /// <summary>Servers of which something of that scope was observed.</summary>
    public ValueTask<IReadOnlyList<string>> Servers(string scope, CancellationToken cancellationToken) =>
        Look<IReadOnlyList<string>>(connection => ObservationTables.Servers(connection, scope), cancellationToken);

    public ValueTask RecordCounters(string server, Counters counters, CancellationToken cancellationToken) =>
        Change(connection => ObservationTables.RecordCounters(connection, server, counters, counters.At - CountersKept),
            cancellationToken);

    public ValueTask<IReadOnlyList<Counters>> CountersOf(string server, string database, int newest,
        CancellationToken cancellationToken) =>
        Look<IReadOnlyList<Counters>>(connection => ObservationTables.CountersOf(connection, server, database, newest),
            cancellationToken);

    /// <summary>
    /// Reads the whole ledger: its pages, its chain of hashes, and whether the listing of cases is what the facts say.
    /// </summary>
    /// <returns>What is wrong, in sentences; empty when nothing is.</returns>
    public ValueTask<IReadOnlyList<string>> Verify(CancellationToken cancellationToken) => Do<IReadOnlyList<string>>(() => store.Still(connection =>
    {
        var link = FactTable.FirstBreak(connection);
        var told = new Dictionary<string, CaseRow?>();
        foreach (var fact in FactTable.All(connection))
            told[fact.Case] = CaseProjection.After(told.GetValueOrDefault(fact.Case), fact);
        var listed = CaseTable.List(connection, null).ToDictionary(row => row.Id);
        var strays = told.Values.OfType<CaseRow>().Where(row => listed.GetValueOrDefault(row.Id) != row)
            .Select(row => $"case {row.Id} is listed otherwise than its facts tell it");
        return (IReadOnlyList<string>)[.. Pages(connection), .. link is null ? [] : new[] { link }, .. strays];
    }), cancellationToken);

    /// <summary>What is wrong below the rows, where that can be asked.</summary>
    private protected virtual IEnumerable<string> Pages(DbConnection connection) => [];

    public void Dispose()
    {
        store.Dispose();
        GC.SuppressFinalize(this);
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private async ValueTask Change(Action<DbConnection> work, CancellationToken cancellationToken) => await Do(() =>
    {
        store.Change(work);
        return true;
    }, cancellationToken);

    private ValueTask<T> Look<T>(Func<DbConnection, T> work, CancellationToken cancellationToken) => Do(() => store.Look(work), cancellationToken);

    /// <summary>A file answers at once; a server that does not must hold up no thread that others wait for.</summary>
    private async ValueTask<T> Do<T>(Func<T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return store.IsShared ? await Task.Run(work, CancellationToken.None) : work();
    }
}
