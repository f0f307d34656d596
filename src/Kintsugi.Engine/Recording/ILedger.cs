namespace Kintsugi;

/// <summary>The append-only record of facts about cases. It lives outside the damaged database.</summary>
public interface ILedger
{
    /// <summary>Durable before it returns: what happens next may be a kill.</summary>
    ValueTask Append(Fact fact, CancellationToken cancellationToken);

    /// <summary>Facts of that case in the order in which they came.</summary>
    ValueTask<IReadOnlyList<Fact>> FactsOf(string caseId, CancellationToken cancellationToken);

    /// <summary>The newest state of every case of that server (all servers when null).</summary>
    ValueTask<IReadOnlyList<CaseRow>> Cases(string? server, CancellationToken cancellationToken);

    /// <summary>When each object was last proven sound, by which check: keys are server, database, object, check.</summary>
    ValueTask RecordProofs(string server, ScrubReport report, CancellationToken cancellationToken);
}

/// <summary>One thing that happened in a case's life.</summary>
/// <param name="Kind">found, confirmed, planned, judged, snapshot, intended, done, failed, cleaned, verified, ended, approved, rejected, accepted …</param>
/// <param name="Data">JSON object: everything that belongs to it.</param>
public sealed record Fact(string Case, string Server, string Kind, string Summary, string Data, DateTimeOffset At)
{
    /// <summary>Set by the ledger: the order of facts.</summary>
    public long Number { get; init; }
}

/// <summary>A case as the listing shows it, from its newest facts.</summary>
public sealed record CaseRow(
    string Id, string Server, string? Database, string Object, string Fault, string Cause, string State, string? Reason,
    int Attempts, string? Snapshot, DateTimeOffset FirstSeen, DateTimeOffset LastChanged);
