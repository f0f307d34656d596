using System.Globalization;

namespace Kintsugi.Engine.Tests.Simulation;

/// <summary>
/// What must be true whenever something is written to the patient, told anew from the facts and from what really happened, not by asking the judge.
/// </summary>
internal sealed class Laws(World world)
{
    private readonly List<(SickThing Thing, DateTimeOffset At, long Bytes)> begun = [];
    private readonly List<(SickThing Thing, DateTimeOffset At)> moved = [];
    private string? operating;

    /// <summary>How often each law was put to the test: a simulation in which nothing happens proves nothing.</summary>
    public static readonly string[] Counted = ["steps", "cleanings", "healed", "trips", "moved rows"];

    public Dictionary<string, int> Count { get; } = Counted.ToDictionary(name => name, _ => 0);

    public void Require(bool holds, string law)
    {
        if (!holds)
            throw new BrokenLaw(law);
    }

    /// <summary>A new run knows nothing of an operation that was going on.</summary>
    public void NewRun() => operating = null;

    public void MayRun(Plan plan, Step step, IReadOnlyDictionary<string, string> remembered)
    {
        Count["steps"]++;
        var life = world.Ledger.Of(plan.Case);
        var number = plan.Steps.ToList().IndexOf(step);
        Require(life[^1].Kind == Facts.Intended && Says(life[^1], "step", number.ToString(CultureInfo.InvariantCulture)),
            "a step runs whose intent is not the newest fact of its case");
        Require(remembered.All(pair => Says(life[^1], pair.Key, pair.Value)), "what was remembered before a step is not in its intent");
        var planned = life.Last(fact => fact.Kind == Facts.Planned);
        Require(planned.Data.Contains(plan.Hash, StringComparison.Ordinal), "a step runs of another plan than the one that was recorded last");
        Snapshotted([.. life.SkipWhile(fact => fact != planned)], plan);
        var approved = Approved(life) == plan.Hash;
        Allowed(life, plan, approved);
        var thing = world.Thing(step["thing"]);
        if (operating == plan.Case + planned.Number)
            return;
        operating = plan.Case + planned.Number;
        if (!approved)
            Budgeted(plan, thing);
        begun.Add((thing, world.Clock.GetUtcNow(), plan.DiskBytes));
    }

    public void MayCleanUp(Step step, IReadOnlyDictionary<string, string> remembered)
    {
        Count["cleanings"]++;
        Require(!world.Tripped, "debris is removed while the breaker is open");
        var intent = world.Ledger.CaseIds.Select(world.Ledger.Of).SelectMany(life => life)
            .FirstOrDefault(fact => fact.Kind == Facts.Intended && Says(fact, "token", remembered["token"]));
        Require(intent is not null && intent.Summary == step.Do, "a step is cleaned up that was never intended");
    }

    /// <summary>A row moved; the step may die before it says so.</summary>
    public void Spent(SickThing thing)
    {
        Count["moved rows"]++;
        moved.Add((thing, world.Clock.GetUtcNow()));
    }

    public void Written(Fact fact)
    {
        if (fact.Kind != Facts.Ended)
            return;
        var life = world.Ledger.Of(fact.Case);
        var thing = world.ThingOf(fact.Case);
        if (Says(fact, "outcome", "healed"))
        {
            Count["healed"]++;
            Require(thing.Dropped || thing is { LastVerdict: Verdict.Sound, WrittenSinceLook: false }, "healed without the accusing check's word after the last step");
            Require(world.Proven.Contains(fact.Case), "a case was closed as healed and nobody was told before");
        }
        if (Says(fact, "outcome", "transient"))
            Require(!UnprovenSteps([.. life.Reverse().Skip(1).TakeWhile(earlier => !Closes(earlier)).Reverse()]),
                "called transient although steps of a repair were done that nobody looked at in between");
    }

    /// <summary>A run that came back has said how each case stands.</summary>
    public void Returned(IReadOnlyList<CaseReport> reports)
    {
        foreach (var report in reports)
        {
            var life = world.Ledger.Of(report.Case.Id);
            if (report.Outcome is Outcome.Postponed)
                Require(new CaseHistory(life).Interrupted, "a case was postponed and nobody would go on with it");
            else
                Require(Says(life.Last(fact => fact.Kind == Facts.Ended), "outcome", report.Outcome.Word), "the ledger says another outcome than the report");
            Require(report.Outcome is Outcome.Healed or Outcome.Transient || report.Outcome.Why is { Length: > 0 }, "a case waits or is escalated without a reason");
        }
    }

    /// <summary>Whatever is left behind is known to the ledger, so that the next run takes it up.</summary>
    public void Resumable()
    {
        foreach (var id in world.Ledger.CaseIds)
            if (world.ThingOf(id).Debris.Count > 0)
                Require(new CaseHistory(world.Ledger.Of(id)) is { Unfinished: not null, Interrupted: true }, "debris stays of which the ledger knows nothing");
        foreach (var thing in world.Things.Where(thing => !thing.Dropped))
        {
            var rows = thing.Table.Concat(thing.Quarantine).Order().ToList();
            Require(rows.SequenceEqual(Enumerable.Range(0, thing.NextUnit)), $"rows of {thing.Name} are lost or doubled: {string.Join(',', rows)}");
        }
    }

    private void Snapshotted(IReadOnlyList<Fact> sincePlanned, Plan plan)
    {
        if (plan.Snapshot == SnapshotGrade.Rows || (!world.Policy.SnapshotBeforeRepair && plan.Grade != Grade.Lossy))
            return;
        var taken = sincePlanned.Where(fact => fact.Kind == Facts.SnapshotTaken).Select(fact => Facts.Read(fact.Data).GetValueOrDefault("id")).OfType<string>();
        Require(taken.Any(id => world.Snapshots[id] is var (hash, grade) && hash == plan.Hash && grade >= plan.Snapshot),
            "a repair runs without a snapshot of the grade that its plan names");
    }

    private void Allowed(IReadOnlyList<Fact> life, Plan plan, bool approved)
    {
        var policy = world.Policy;
        var fault = world.ThingOf(plan.Case).Ailment.Fault;
        Require(!world.Tripped, "a repair runs while the breaker is open");
        Require(policy is { Heal: true, Consent: true }, "a repair runs without consent");
        var word = life.LastOrDefault(fact => fact.Kind is Facts.Rejected or Facts.Approved or Facts.Retried);
        Require(word?.Kind != Facts.Rejected, "a rejected case is repaired");
        var accepted = life.LastOrDefault(fact => fact.Kind == Facts.Accepted);
        Require(accepted is null || DateTimeOffset.Parse(Facts.Read(accepted.Data)["until"], CultureInfo.InvariantCulture) <= life.Last(fact => fact.Kind == Facts.Found).At,
            "an accepted case is repaired");
        var failed = life.Reverse().TakeWhile(fact => fact.Kind != Facts.Retried && !Closes(fact))
            .Count(fact => fact.Kind == Facts.Failed && !Facts.Read(fact.Data).ContainsKey(Facts.KeptOut));
        Require(failed < policy.MaxAttempts, $"attempt {failed + 1} of {policy.MaxAttempts} runs");
        Require(plan.Grade != Grade.Lossy || (approved && policy.Allow == Grade.Lossy), "a lossy plan runs without a person's word for it");
        Require(plan.NeedsApproval is null || approved, "a plan that needs approval runs without");
        Require(plan.Grade == Grade.Lossless || approved || policy.Allow >= plan.Grade, "rows are changed without consent to that");
        var choice = policy.ByFault.GetValueOrDefault(fault.Id, fault == Faults.ConstraintUnenforced ? PolicyChoice.Never : PolicyChoice.Auto);
        Require(choice == PolicyChoice.Auto || approved, $"policy says {choice}, and this plan was not approved");
        Require(approved || plan.RowsQuarantined + plan.RowsChanged <= Math.Min(policy.Budget.RowsPerCase, Math.Max(10, plan.TableRows / 100)),
            "more rows than the budget of a case");
    }

    private void Budgeted(Plan plan, SickThing thing)
    {
        if (world.Policy.Limits is not { } limits)
            return;
        var since = world.Clock.GetUtcNow().AddHours(-1);
        var cases = begun.Where(one => one.At >= since && one.Thing != thing).Select(one => one.Thing).Distinct().Count();
        Require(cases + 1 <= limits.CasesPerHour, $"{cases + 1} cases in an hour");
        var rows = plan.RowsQuarantined + plan.RowsChanged;
        Require(rows == 0 || moved.Count(one => one.At >= since) + rows <= limits.RowsPerHour, "more rows in an hour than the budget");
        Require(plan.DiskBytes == 0 || begun.Where(one => one.At >= since).Sum(one => one.Bytes) + plan.DiskBytes <= limits.BytesPerHour,
            "more bytes in an hour than the budget");
    }

    /// <summary>Whether steps were done after which no run ended that had seen them fail.</summary>
    private static bool UnprovenSteps(List<Fact> sinceClosed)
    {
        var done = sinceClosed.FindLastIndex(fact => fact.Kind == Facts.Done);
        var seen = done < 0 ? -1 : sinceClosed.FindIndex(done, fact => fact.Kind is Facts.Confirmed or Facts.Verified && Says(fact, "verdict", "damaged"));
        return done >= 0 && (seen < 0 || sinceClosed.FindIndex(seen, fact => fact.Kind == Facts.Ended) < 0);
    }

    private static string? Approved(IReadOnlyList<Fact> life) =>
        life.LastOrDefault(fact => fact.Kind is Facts.Approved or Facts.Rejected || Closes(fact)) is { Kind: Facts.Approved } fact
            ? Facts.Read(fact.Data)["plan"] : null;

    private static bool Closes(Fact fact) => fact.Kind == Facts.Ended && Facts.Read(fact.Data)["outcome"] is "healed" or "transient";

    private static bool Says(Fact fact, string name, string value) => Facts.Read(fact.Data).GetValueOrDefault(name) == value;
}
