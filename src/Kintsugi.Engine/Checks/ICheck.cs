namespace Kintsugi;

/// <summary>Looks for damage. Reads only; safe to repeat, and to cancel at any point.</summary>
public interface ICheck
{
    /// <summary>The stable name on the command line and in JSON: btree, heap, index-state.</summary>
    string Id { get; }

    /// <summary>One sentence for people: what it proves.</summary>
    string Proves { get; }
    Layer Layer { get; }

    /// <summary>The least depth at which it runs.</summary>
    Depth Depth { get; }
    Needs Needs { get; }
    IReadOnlyList<FaultClass> Finds { get; }

    /// <summary>
    /// What it would examine in the patient's database (or on the server, for a check whose <see cref="Scope"/> says so), in pieces.
    /// A piece whose answer is known without looking (unsupported kind, temporary relation) carries it as <see cref="Portion.Settled"/>.
    /// </summary>
    ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken);

    /// <exception cref="PatientException">Left to the scrub, which tells a refusal (Unchecked) from a lost or crashed server.</exception>
    ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken);

    /// <summary>Where it runs: once for the server, or once in every database.</summary>
    Scope Scope => Scope.Database;

    /// <summary>Its answer about a table follows from the pages of that table, of its TOAST table and of their indexes, and from what their keys mean.</summary>
    bool RestsOnPages => false;
}

public enum Scope
{
    Server,
    Database,
}

/// <summary>A piece of a target that is examined in one go: the unit of slicing, throttling, resuming and spreading over nodes.</summary>
/// <remarks>A check may derive its own portion to carry what it learned while dividing (a constraint's columns and operators).</remarks>
public record Portion(Target Target)
{
    /// <summary>The relation to be read, where it is one.</summary>
    public Relation? Relation { get; init; }
    public long FirstBlock { get; init; }
    public long Blocks { get; init; } = long.MaxValue;

    /// <summary>Pages to be read, roughly: the largest go first.</summary>
    public long Weight { get; init; }

    /// <summary>OIDs of relations that must not be Damaged or Unchecked in an earlier layer if this answer is to count.</summary>
    public IReadOnlyList<uint> StandsOn { get; init; } = [];

    /// <summary>The depth at which this scrub runs.</summary>
    public Depth Depth { get; init; } = Depth.Standard;

    public Verdict? Settled { get; init; }
}
