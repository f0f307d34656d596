using System.Text;
using System.Text.Json;

namespace Kintsugi;

/// <summary>Writes a case's facts down, each before the next thing is done. Endings are written whatever was cancelled.</summary>
internal sealed class Chart(ILedger ledger, TimeProvider clock, HealingCase healing, IProgress<Fact>? progress)
{
    public ValueTask Found(CancellationToken cancellationToken) =>
        Write(Facts.Found, healing.Cause, FindingsJson(), cancellationToken);

    public ValueTask Confirmed(Verdict verdict, CancellationToken cancellationToken) =>
        Write(Facts.Confirmed, verdict.Why ?? $"looked again: {verdict.Word}", Facts.Data(("verdict", verdict.Word), ("reason", verdict.Why)),
            cancellationToken);

    public ValueTask Refused(IRepair repair, Proposal.Refused refusal, CancellationToken cancellationToken) =>
        Write(Facts.Refused, $"{repair.Id} does not fit: {refusal.Reason}", Facts.Data(("repair", repair.Id), ("reason", refusal.Reason)),
            cancellationToken);

    public ValueTask Planned(Plan plan, CancellationToken cancellationToken) =>
        Write(Facts.Planned, $"{plan.Repair} in {plan.Steps.Count} {(plan.Steps.Count == 1 ? "step" : "steps")}, {plan.Grade.ToString().ToLowerInvariant()}", PlanJson.Write(plan),
            cancellationToken);

    public ValueTask Judged(Judgement judgement, CancellationToken cancellationToken) => judgement switch
    {
        Judgement.Wait it => Write(Facts.Judged, $"wait: {it.Reason}", Facts.Data(("judgement", "wait"), ("reason", it.Reason)), cancellationToken),
        Judgement.Forbid it => Write(
            Facts.Judged, $"no: {it.Reason}", Facts.Data(("judgement", "forbid"), ("reason", it.Reason)), cancellationToken),
        _ => Write(Facts.Judged, "proceed", Facts.Data(("judgement", "proceed")), cancellationToken),
    };

    public ValueTask SnapshotTaken(string id, CancellationToken cancellationToken) =>
        Write(Facts.SnapshotTaken, $"snapshot {id}", Facts.Data(("id", id)), cancellationToken);

    public ValueTask NoSnapshot(CancellationToken cancellationToken) =>
        Write(Facts.SnapshotTaken, "no snapshot: the owner's configuration turned it off", Facts.Data(("off", "true")), cancellationToken);

    public ValueTask Intended(int number, Step step, IReadOnlyDictionary<string, string> remembered, CancellationToken cancellationToken)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("step", number.ToString());
            foreach (var (name, value) in remembered)
                json.WriteString(name, value);
            json.WriteEndObject();
        }
        return Write(Facts.Intended, step.Do, Encoding.UTF8.GetString(stream.ToArray()), cancellationToken);
    }

    public ValueTask Done(int number, StepResult result) => Write(
        Facts.Done, result.Note ?? "done", Facts.Data(("step", number.ToString()), ("note", result.Note),
            ("rows_quarantined", result.RowsQuarantined.ToString()), ("rows_changed", result.RowsChanged.ToString())), CancellationToken.None);

    /// <param name="keptOut">It was kept from working, and the attempt does not count against the case in later runs.</param>
    public ValueTask Failed(string why, bool keptOut = false) =>
        Write(Facts.Failed, why, Facts.Data(("reason", why), (Facts.KeptOut, keptOut ? "true" : null)), CancellationToken.None);

    public ValueTask Cleaned(string? what) =>
        Write(Facts.Cleaned, what ?? "nothing was left behind", Facts.Data(("removed", what)), CancellationToken.None);

    public ValueTask Verified(Verdict verdict) =>
        Write(Facts.Verified, $"after the repair: {verdict.Word}", Facts.Data(("verdict", verdict.Word), ("reason", verdict.Why)),
            CancellationToken.None);

    public ValueTask Ended(Outcome outcome, Plan? plan) =>
        Write(Facts.Ended, outcome.Why is { } why ? $"{outcome.Word}: {why}" : outcome.Word,
            Facts.Data(("outcome", outcome.Word), ("reason", outcome.Why), ("repair", plan?.Repair), ("plan", plan?.Hash)), CancellationToken.None);

    private async ValueTask Write(string kind, string summary, string data, CancellationToken cancellationToken)
    {
        var fact = new Fact(healing.Id, healing.Target.Server, kind, summary, data, clock.GetUtcNow());
        await ledger.Append(fact, cancellationToken);
        progress?.Report(fact);
    }

    private string FindingsJson()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("fault", healing.Fault.Id);
            json.WriteString("cause", healing.Cause);
            json.WriteString("database", healing.Database);
            json.WriteString("object", healing.Target.Name);
            json.WriteStartArray("findings");
            foreach (var finding in healing.Findings)
                FindingJson.Write(json, finding);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
