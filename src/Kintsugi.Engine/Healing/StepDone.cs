namespace Kintsugi;

/// <summary>A step that was done in a case, or cut off in its middle, and not undone since.</summary>
/// <param name="Remembered">What was recorded before it was begun.</param>
public sealed record StepDone(Step Step, IReadOnlyDictionary<string, string> Remembered)
{
    /// <summary>In the order in which they were done.</summary>
    public static IReadOnlyList<StepDone> Of(IReadOnlyList<Fact> facts)
    {
        var done = new List<StepDone>();
        Plan? plan = null;
        IReadOnlyDictionary<string, string>? intended = null;
        foreach (var fact in facts)
        {
            if (fact.Kind == Facts.Planned)
                plan = new CaseHistory([fact]).ReadPlan();
            else if (fact.Kind == Facts.Intended)
                intended = Facts.Read(fact.Data);
            else if (fact.Kind is Facts.Done or Facts.Cleaned && intended is not null && plan is not null)
                done.Add(new StepDone(plan.Steps[int.Parse(intended["step"])], intended));
            else if (fact.Kind == Facts.Undone)
                done.Clear();
        }
        return done;
    }
}
