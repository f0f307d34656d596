using System.Collections.Concurrent;
using Kintsugi.Postgres.Files;

namespace Kintsugi.Postgres.Sessions;

/// <summary>Opens patients on a running server. Capabilities and inventory are read once per database and shared by its sessions.</summary>
public sealed class PatientSource : IPatientSource, IRemembersPages
{
    private readonly SessionFactory factory;
    private readonly string? dataDirectory;
    private readonly ConcurrentDictionary<string, Lazy<Task<Capabilities>>> capabilities = new();
    private readonly ConcurrentDictionary<string, Lazy<Task<Inventory>>> inventories = new();
    private readonly SeenRows seen = new();
    private string checkpointer;

    private PatientSource(SessionFactory factory, string? dataDirectory, Capabilities server, string checkpointer)
    {
        this.factory = factory;
        this.dataDirectory = dataDirectory;
        this.checkpointer = checkpointer;
        Server = server;
    }

    public Capabilities Server { get; }
    public Pace Pace { get; init; } = new(null, TimeProvider.System);

    /// <summary>Where checks of pages remember what they saw; set before the first patient is opened.</summary>
    public IPageLedger? PageLedger { get; set; }
    public IReadOnlyList<string> Databases { get; private init; } = [];
    public IReadOnlyDictionary<string, string> Closed { get; private init; } = new Dictionary<string, string>();

    /// <param name="wanted">Database names, or null for all that accept connections; empty for the one that the connection names.</param>
    /// <exception cref="PatientException">The server cannot be reached, or is older than 13.</exception>
    public static async ValueTask<PatientSource> Connect(
        SessionFactory factory, IReadOnlyList<string>? wanted, Func<string, bool>? excluded, string? dataDirectory, Pace pace,
        CancellationToken cancellationToken)
    {
        var first = wanted is { Count: > 0 } ? wanted[0] : null;
        var session = await factory.OpenRead(first, cancellationToken);
        try
        {
            return await Meet(factory, session, wanted, excluded, dataDirectory, pace, cancellationToken);
        }
        finally
        {
            await factory.Leave(session);
        }
    }

    private static async ValueTask<PatientSource> Meet(
        SessionFactory factory, ReadSession session, IReadOnlyList<string>? wanted, Func<string, bool>? excluded, string? dataDirectory, Pace pace,
        CancellationToken cancellationToken)
    {
        var server = await CapabilityProbe.Probe(session, dataDirectory, cancellationToken);
        if (server.Major < 13)
            throw new PatientException(null, $"the server is PostgreSQL {server.Version}; Kintsugi knows 13 and later");
        var names = wanted switch
        {
            null => await session.Rows("SELECT datname::pg_catalog.text FROM pg_catalog.pg_database "
                + "WHERE datallowconn AND NOT datistemplate ORDER BY datname", row => row.GetString(0), cancellationToken),
            { Count: 0 } => [session.Database],
            _ => wanted,
        };
        names = [.. names.Where(name => excluded?.Invoke(name) != true)];
        var closed = await TryDoors(factory, [.. names.Where(name => name != session.Database)], cancellationToken);
        var source = new PatientSource(factory, dataDirectory, server, server.Checkpointer)
        {
            Databases = [.. names.Where(name => !closed.ContainsKey(name))],
            Closed = closed,
            Pace = pace,
        };
        source.capabilities[session.Database] = new Lazy<Task<Capabilities>>(Task.FromResult(server));
        return source;
    }

    public ValueTask<Patient> Open(string? database, CancellationToken cancellationToken) => Open(database, bare: false, cancellationToken);

    public ValueTask<Patient> OpenBare(string? database, CancellationToken cancellationToken) => Open(database, bare: true, cancellationToken);

    private async ValueTask<Patient> Open(string? database, bool bare, CancellationToken cancellationToken)
    {
        var session = await factory.OpenRead(database ?? (Databases.Count > 0 ? Databases[0] : null), cancellationToken);
        try
        {
            var can = await Once(capabilities, session.Database, () => CapabilityProbe.Probe(session, dataDirectory, cancellationToken));
            return new Patient(session, can.FilesReachable ? new LocalFiles(can.DataDirectory!) : null, can)
            {
                Pace = Pace,
                PageLedger = PageLedger,
                Inventory = bare ? null : await Once(inventories, session.Database, () => InventoryReader.Read(session, seen.For(session.Database), cancellationToken)),
            };
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    public void Forget(string database)
    {
        if (inventories.TryRemove(database, out var read) && read is { IsValueCreated: true, Value: { IsCompletedSuccessfully: true } known })
            seen.Keep(database, known.Result);
        capabilities.TryRemove(database, out _);
    }

    /// <summary>Whether the server has a database of that name, whether anybody may enter it or not.</summary>
    public async ValueTask<bool> Exists(string database, CancellationToken cancellationToken)
    {
        await using var session = await factory.OpenRead(Databases.Count > 0 ? Databases[0] : null, cancellationToken);
        return (await session.Rows("SELECT true FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) $1", row => row.GetBoolean(0), cancellationToken, database)).Count > 0;
    }

    public async ValueTask<bool> CrashedSince(CancellationToken cancellationToken)
    {
        await using var session = await Reconnect(cancellationToken);
        var now = await CheckpointerStart(session, cancellationToken);
        var crashed = now != Interlocked.Exchange(ref checkpointer, now);
        return crashed;
    }

    /// <summary>After a crash the server refuses connections for as long as it replays its WAL (57P03).</summary>
    private async ValueTask<ReadSession> Reconnect(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await factory.OpenRead(Databases.Count > 0 ? Databases[0] : null, cancellationToken);
            }
            catch (PatientException problem) when (problem.ConnectionLost && attempt < 240)
            {
                await timer.WaitForNextTickAsync(cancellationToken);
            }
        }
    }

    private static async ValueTask<string> CheckpointerStart(ReadSession session, CancellationToken cancellationToken) =>
        (await session.Rows(
            "SELECT " + CapabilityProbe.Checkpointer, row => row.GetString(0), cancellationToken))[0];

    private static async ValueTask<IReadOnlyDictionary<string, string>> TryDoors(
        SessionFactory factory, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var closed = new Dictionary<string, string>();
        foreach (var name in names)
        {
            try
            {
                await using var session = await factory.OpenRead(name, cancellationToken);
            }
            catch (PatientException problem)
            {
                closed[name] = $"cannot connect to database {name}: {problem.Message}";
            }
        }
        return closed;
    }

    private static async ValueTask<T> Once<T>(
        ConcurrentDictionary<string, Lazy<Task<T>>> cache, string key, Func<ValueTask<T>> read)
    {
        var lazy = cache.GetOrAdd(key, _ => new Lazy<Task<T>>(() => read().AsTask()));
        try
        {
            return await lazy.Value;
        }
        catch (PatientException)
        {
            cache.TryRemove(KeyValuePair.Create(key, lazy));
            throw;
        }
    }
}
