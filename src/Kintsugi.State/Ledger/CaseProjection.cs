using System.Text.Json;

namespace Kintsugi.State;

/// <summary>A case as its facts leave it: a pure function, so that the listing can always be told again from the facts.</summary>
internal static class CaseProjection
{
    /// <returns>The row after that fact; null when the fact belongs to no known case.</returns>
    public static CaseRow? After(CaseRow? row, Fact fact)
    {
        if (fact.Kind == Facts.Found)
            return Found(row, fact);
        if (row is null)
            return null;
        var changed = row with { LastChanged = fact.At };
        switch (fact.Kind)
        {
            case Facts.Confirmed:
                // Only an acceptance that has run out lets a case be looked at again, so it does not stand against this.
                return Word(fact, "verdict") == "damaged" && row.State != "rejected"
                    ? changed with { State = "confirmed", Reason = null }
                    : changed;
            case Facts.SnapshotTaken:
                return changed with { Snapshot = Word(fact, "id") ?? row.Snapshot };
            case Facts.Failed:
                return changed with { Attempts = row.Attempts + 1, Reason = Word(fact, "reason") };
            case Facts.Ended:
                return Ended(changed, fact);
            case Facts.Approved:
                return changed with { State = "waiting", Reason = $"approved{By(fact)}; kintsugi heal --case {row.Id} runs it" };
            case Facts.Rejected:
                return changed with { State = "rejected", Reason = Word(fact, "because") ?? fact.Summary };
            case Facts.Retried:
                return changed with { State = "open", Reason = null, Attempts = 0 };
            case Facts.Accepted:
                return changed with { State = "accepted", Reason = Word(fact, "because") ?? fact.Summary };
            case Facts.Undone:
                return changed with { State = "undone", Reason = Word(fact, "reason") };
            default:
                return changed;
        }
    }

    /// <summary>A person has spoken; only that person, or a repair that succeeds, changes it.</summary>
    private static bool Settled(CaseRow row) => row.State is "accepted" or "rejected";

    private static CaseRow Found(CaseRow? row, Fact fact)
    {
        using var json = JsonDocument.Parse(fact.Data);
        var found = new CaseRow(
            fact.Case, fact.Server, Text(json.RootElement, "database"), Text(json.RootElement, "object") ?? "",
            Text(json.RootElement, "fault") ?? "",
            Text(json.RootElement, "cause") ?? fact.Summary, "open", null, 0, null, fact.At, fact.At);
        if (row is null)
            return found;
        // Healed once and broken again is the same case with a new life; one that is still open keeps what is known of it.
        return row.State is "healed" or "transient" or "undone"
            ? found with { FirstSeen = row.FirstSeen, Snapshot = row.Snapshot }
            : row with { Cause = found.Cause, Object = found.Object, LastChanged = fact.At };
    }

    private static CaseRow Ended(CaseRow row, Fact fact)
    {
        var outcome = Word(fact, "outcome") ?? "escalated";
        return Settled(row) && outcome is not ("healed" or "transient")
            ? row
            : row with { State = outcome, Reason = Word(fact, "reason") };
    }

    private static string By(Fact fact) => Word(fact, "as") is { } name ? $" by {name}" : "";

    private static string? Word(Fact fact, string field) => Facts.Read(fact.Data).GetValueOrDefault(field);

    private static string? Text(JsonElement json, string field) =>
        json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
