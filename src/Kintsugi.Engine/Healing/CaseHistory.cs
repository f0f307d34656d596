using System.Text.Json;

namespace Kintsugi;

/// <summary>What the ledger's facts say of a case so far: attempts, a person's word, and a step that was begun and never ended.</summary>
public sealed class CaseHistory
{
    public CaseHistory(IReadOnlyList<Fact> facts)
    {
        foreach (var fact in facts)
            Take(fact);
    }

    /// <summary>Failed attempts since the case was last healed or retried, without those in which the repair was only kept from working.</summary>
    public int Attempts { get; private set; }
    public PersonsWord Word { get; private set; } = new();
    public string? Snapshot { get; private set; }

    /// <summary>The newest plan, as it was recorded.</summary>
    public string? PlanData { get; private set; }

    /// <summary>The newest findings, as they were recorded.</summary>
    public string? FoundData { get; private set; }

    /// <summary>Number of the step that was intended and neither done nor cleaned, with what was remembered before it.</summary>
    public (int Step, IReadOnlyDictionary<string, string> Remembered)? Unfinished { get; private set; }

    /// <summary>Steps were done that no look has disproved since, and the case was not closed.</summary>
    private bool unproven;

    /// <summary>An ending now would end nothing.</summary>
    private bool Open => unproven || Unfinished is not null;

    /// <summary>
    /// The last run wrote no ending, because it was killed, or left something behind, or could not prove its repair: the next one takes the case up again.
    /// </summary>
    public bool Interrupted { get; private set; }

    /// <summary>The newest fact is a person's word: nothing was done about the case since.</summary>
    public bool SpokenSince { get; private set; }

    /// <summary>A person has seen the case and lets rows that were bad before be repaired.</summary>
    public bool Acknowledged { get; private set; }

    /// <summary>A person took the repair back and has not spoken of the case since.</summary>
    public bool Undone { get; private set; }

    /// <summary>Steps were done since the case last ended: a check that acquits now acquits a repair.</summary>
    public bool StepsDone { get; private set; }

    private void Take(Fact fact)
    {
        SpokenSince = fact.Kind is Facts.Approved or Facts.Rejected or Facts.Retried or Facts.Accepted or Facts.Acknowledged;
        Undone = fact.Kind == Facts.Undone || (Undone && !SpokenSince);
        Acknowledged |= fact.Kind == Facts.Acknowledged;
        var closes = fact.Kind == Facts.Ended && Facts.Read(fact.Data).GetValueOrDefault("outcome") is "healed" or "transient";
        if (closes)
            (unproven, Unfinished) = (false, null);
        if (!SpokenSince && fact.Kind != Facts.Undone)
            Interrupted = fact.Kind != Facts.Ended || Open;
        StepsDone = fact.Kind == Facts.Done || (StepsDone && (fact.Kind != Facts.Ended || Open));
        switch (fact.Kind)
        {
            case Facts.Found:
                FoundData = fact.Data;
                break;
            case Facts.Confirmed or Facts.Verified:
                unproven &= Facts.Read(fact.Data).GetValueOrDefault("verdict") != "damaged";
                break;
            case Facts.Planned:
                PlanData = fact.Data;
                break;
            case Facts.SnapshotTaken:
                Snapshot = Facts.Read(fact.Data).GetValueOrDefault("id");
                break;
            case Facts.Intended:
                var data = Facts.Read(fact.Data);
                Unfinished = (int.Parse(data["step"]), data);
                break;
            case Facts.Done:
                (unproven, Unfinished) = (true, null);
                break;
            case Facts.Cleaned:
                Unfinished = null;
                break;
            case Facts.Failed when !Facts.Read(fact.Data).ContainsKey(Facts.KeptOut):
                Attempts++;
                break;
            case Facts.Ended when closes:
                Attempts = 0;
                Word = Word with { ApprovedPlan = null };
                break;
            case Facts.Approved:
                Word = Word with { ApprovedPlan = Facts.Read(fact.Data).GetValueOrDefault("plan"), Rejected = false };
                break;
            case Facts.Rejected:
                Word = Word with { Rejected = true, ApprovedPlan = null };
                break;
            case Facts.Retried:
                Attempts = 0;
                Word = Word with { Rejected = false };
                break;
            case Facts.Accepted:
                Word = Word with { Accepted = Until(fact) };
                break;
        }
    }

    private static DateTimeOffset Until(Fact fact) =>
        Facts.Read(fact.Data).TryGetValue("until", out var until) ? DateTimeOffset.Parse(until) : DateTimeOffset.MaxValue;

    /// <summary>The case as it was last found, or null when its fault class is unknown to this version.</summary>
    public HealingCase? ReadCase(string id)
    {
        if (FoundData is null)
            return null;
        using var json = JsonDocument.Parse(FoundData);
        var findings = json.RootElement.GetProperty("findings").EnumerateArray().Select(FindingJson.Read).OfType<Finding>().ToList();
        return findings.Count == 0 ? null : new HealingCase
        {
            Id = id,
            Cause = json.RootElement.GetProperty("cause").GetString()!,
            Fault = findings[0].Fault,
            Findings = findings,
        };
    }

    /// <summary>The newest plan, or null when none was recorded.</summary>
    public Plan? ReadPlan()
    {
        if (PlanData is null)
            return null;
        using var json = JsonDocument.Parse(PlanData);
        return PlanJson.Read(json.RootElement);
    }
}
