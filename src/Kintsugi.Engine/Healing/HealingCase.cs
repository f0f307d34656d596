namespace Kintsugi;

/// <summary>One cause, one or many objects, from the first finding to the outcome.</summary>
public sealed record HealingCase
{
    /// <summary>Stable for the same cause at the same place, so that a later run goes on with the same case.</summary>
    public required string Id { get; init; }

    /// <summary>One sentence: what happened.</summary>
    public required string Cause { get; init; }
    public required FaultClass Fault { get; init; }
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>Where the case lies: the object of its first finding.</summary>
    public Target Target => Findings[0].Target;
    public string? Database => Target.Database;
    public IReadOnlyList<string> Objects => [.. Findings.Select(finding => finding.Target.Name).Distinct()];

    /// <summary>Other open cases on the same table: a repair refuses where its ground is damaged.</summary>
    public IReadOnlyList<Finding> Neighbours { get; init; } = [];

    /// <summary>Open findings elsewhere that rest on these tables: orphans whose parents may only be hidden in them.</summary>
    public IReadOnlyList<Finding> Witnesses { get; init; } = [];

    /// <summary>Whether a neighbour of one of those classes stands against touching this table.</summary>
    public Finding? Obstacle(params ReadOnlySpan<FaultClass> faults)
    {
        foreach (var finding in Neighbours)
            if (faults.Contains(finding.Fault))
                return finding;
        return null;
    }
}
