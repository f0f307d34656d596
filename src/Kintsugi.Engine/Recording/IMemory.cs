namespace Kintsugi;

/// <summary>
/// What is remembered between runs beside the cases: proofs, since when a finding stands, observations of the server.
/// </summary>
public interface IMemory
{
    /// <summary>When each object was last proven sound, oldest first.</summary>
    ValueTask<IReadOnlyList<Proof>> Proofs(string server, CancellationToken cancellationToken);

    /// <summary>Findings that stood when their object was last examined, by finding id.</summary>
    ValueTask<IReadOnlyDictionary<string, Sighting>> Sightings(string server, CancellationToken cancellationToken);

    /// <summary>
    /// Facts of kind accepted and acknowledged: what a person knows of and does not want to hear again.
    /// </summary>
    ValueTask<IReadOnlyList<Fact>> Baseline(string server, CancellationToken cancellationToken);

    /// <summary>Keeps the newest value by scope and key; all of them or, when it fails, none.</summary>
    ValueTask Observe(string server, IReadOnlyCollection<Observation> observations, CancellationToken cancellationToken);

    ValueTask<IReadOnlyList<Observation>> Observations(string server, string scope, CancellationToken cancellationToken);

    /// <summary>Adds to the history of a database's counters.</summary>
    ValueTask RecordCounters(string server, Counters counters, CancellationToken cancellationToken);

    /// <summary>The newest ones, newest first.</summary>
    ValueTask<IReadOnlyList<Counters>> CountersOf(string server, string database, int newest,
        CancellationToken cancellationToken);
}

/// <summary>An object's newest proof of health by one check.</summary>
public sealed record Proof(string Server, string Database, string Object, string Check, DateTimeOffset At, Depth Depth)
{
    /// <summary>The name of what was examined, with the constraint or rule where several stand on one table.</summary>
    public static string Place(Target target) => target.Rule is { } rule ? $"{target.Name} {rule}" : target.Name;
}

/// <summary>Since when a finding stands without its check having acquitted in between.</summary>
/// <param name="Scrubs">In how many scrubs it was seen.</param>
public sealed record Sighting(string Finding, string Fault, string Database, DateTimeOffset FirstSeen, DateTimeOffset LastSeen,
    int Scrubs);

/// <summary>Something seen of a server that the next run compares with.</summary>
/// <param name="Scope">collation, page-proof …: a check's own word.</param>
/// <param name="Key">Unique in the scope; several parts are joined by U+001F.</param>
public sealed record Observation(string Scope, string Key, string Value, DateTimeOffset At);

/// <summary>pg_stat_database of one database at one moment.</summary>
/// <param name="Json">An object of names and numbers.</param>
public sealed record Counters(string Database, string Json, DateTimeOffset At);
