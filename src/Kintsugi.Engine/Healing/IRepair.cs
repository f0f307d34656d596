namespace Kintsugi;

/// <summary>Knows how to mend a fault class. It decides and explains; only the healer writes.</summary>
public interface IRepair
{
    string Id { get; }

    /// <summary>One sentence for people: what it does.</summary>
    string Does { get; }
    IReadOnlyList<FaultClass> Mends { get; }

    /// <summary>The grade of its plans, for listings; a plan's own grade is its harshest step's.</summary>
    Grade Grade { get; }

    /// <summary>Never planned by itself: a person asks for it by its name (heal --repair).</summary>
    bool OnlyWhenNamed => false;

    /// <summary>Whether it is what such a finding usually ends with; told beside the finding before anything is planned.</summary>
    bool IsUsual => true;

    /// <summary>Reads what it needs and settles what would be done. Writes nothing.</summary>
    /// <returns>A plan, or why this repair cannot safely mend this case.</returns>
    ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken);
}

/// <summary>A repair's answer: a plan, or a refusal with its reason. A refusal that is final stops the search for harsher means.</summary>
public abstract record Proposal
{
    private Proposal()
    {
    }

    public sealed record Planned(Plan Plan) : Proposal;

    /// <param name="Reason">Why this repair does not fit, and what a person could do.</param>
    /// <param name="Final">No other repair may try either: the ground is not proven, the parent may be hidden.</param>
    public sealed record Refused(string Reason, bool Final = false) : Proposal;
}
