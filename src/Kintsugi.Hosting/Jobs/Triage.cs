using System.Collections.Concurrent;
using Kintsugi.Configuration;
using Kintsugi.State;

namespace Kintsugi.Hosting;

/// <summary>Which open case may be treated now, and in which order: a decision over ledger and clock, made anew each time.</summary>
internal sealed class Triage(StoredLedger ledger, ConfigurationSource configuration, Leadership leadership, TimeProvider clock)
{
    /// <summary>A run that ended without an ending in the ledger (the target was lost) is not begun again at once.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromMinutes(1);

    /// <summary>Clocks of two machines may differ by so much.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<string, DateTimeOffset> begun = new();
    private readonly ConcurrentDictionary<string, bool> nudged = new();

    public static bool IsClosed(CaseRow row) => row.State is "healed" or "transient" or "undone";

    /// <summary>Something new was seen of the case: it is worth another look.</summary>
    public void Nudge(string caseId)
    {
        if (leadership.Leads)
            nudged[caseId] = true;
        else
            leadership.Tell("nudge", caseId);
    }

    /// <summary>The cases of that server that are due, those first on which others stand.</summary>
    /// <param name="databases">Those of the target: another target of the same server may have others.</param>
    public async ValueTask<IReadOnlyList<string>> Due(string server, IReadOnlyList<string> databases, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        foreach (var (old, _) in begun.Where(pair => now - pair.Value > Between))
            begun.TryRemove(old, out _);
        var rows = await ledger.Cases(server, cancellationToken);
        var due = new List<CaseRow>();
        foreach (var row in rows.Where(row => !IsClosed(row) && !IsFresh(row) && (row.Database is null || databases.Contains(row.Database))))
            if (nudged.ContainsKey(row.Id) && row.State is not ("accepted" or "rejected") || await IsDue(row, rows, now, cancellationToken))
                due.Add(row);
        return [.. due.OrderBy(row => row.Object.StartsWith("pg_toast.", StringComparison.Ordinal) ? 0 : 1)
            .ThenBy(row => Faults.Find(row.Fault)?.Layer ?? Layer.Value).ThenBy(row => row.LastChanged).ThenBy(row => row.Id, StringComparer.Ordinal)
            .Select(row => row.Id)];
    }

    /// <summary>It was begun a moment ago, and did not come to an ending that is recorded.</summary>
    private bool IsFresh(CaseRow row) => begun.TryGetValue(row.Id, out var at) && (row.State is "open" or "confirmed" || row.LastChanged < at);

    /// <summary>It goes to its job now.</summary>
    public void Begin(string caseId)
    {
        begun[caseId] = clock.GetUtcNow();
        nudged.TryRemove(caseId, out _);
    }

    private async ValueTask<bool> IsDue(CaseRow row, IReadOnlyList<CaseRow> all, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (row.State is "open" or "confirmed")
            return true;
        var facts = await ledger.FactsOf(row.Id, cancellationToken);
        var history = new CaseHistory(facts);
        if (row.State is "rejected")
            return false;
        if (row.State is "accepted")
            return history.Word.Accepted <= now;
        // What was changed later than now was changed by a clock that ran ahead: nobody waits until it is overtaken.
        if (row.LastChanged > now + Ahead)
            return true;
        if (history.SpokenSince || history.Interrupted || OpenedSince(row, now))
            return true;
        // A killed run's step: its backend holds the lock until it ends.
        if (history.Unfinished is not null)
            return now - row.LastChanged >= Patience(row, facts.Last(fact => fact.Kind == Facts.Intended).At, Between, TimeSpan.FromHours(6));
        // What it stood on was healed, or what stood beside it.
        if (all.Any(other => IsClosed(other) && other.LastChanged > row.LastChanged && other.Database == row.Database))
            return true;
        return now - row.LastChanged >= Patience(row, row.FirstSeen, TimeSpan.FromMinutes(10), TimeSpan.FromHours(row.State is "waiting" ? 6 : 24));
    }

    /// <summary>The longer nothing has helped, the rarer it is tried again.</summary>
    private static TimeSpan Patience(CaseRow row, DateTimeOffset since, TimeSpan least, TimeSpan most) =>
        TimeSpan.FromTicks(Math.Clamp((row.LastChanged - since).Ticks / 4, least.Ticks, most.Ticks));

    /// <summary>A maintenance window has opened since the case was put off.</summary>
    private bool OpenedSince(CaseRow row, DateTimeOffset now) =>
        configuration.Current.Windows.Any(window => window.IsOpen(now)) && !configuration.Current.Windows.Any(window => window.IsOpen(row.LastChanged));
}
