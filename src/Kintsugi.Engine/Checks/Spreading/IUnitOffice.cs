namespace Kintsugi;

/// <summary>
/// Where the node that leads a scrub offers large pieces (units) to other nodes and gets their answers. One unit is in one node's hand at a time, and
/// its answer counts once.
/// </summary>
public interface IUnitOffice
{
    /// <summary>Whether a piece is large enough to be worth the way to another node.</summary>
    bool IsWorth(Portion piece);

    /// <summary>Offers units of one layer, whose ground the layers before have proven.</summary>
    ValueTask Offer(IReadOnlyList<Unit> units, CancellationToken cancellationToken);

    /// <summary>Takes an open unit for this node: the largest.</summary>
    /// <returns>Its key, or null when the others have them all.</returns>
    ValueTask<string?> Take(CancellationToken cancellationToken);

    /// <summary>Says by which session this node examines it.</summary>
    ValueTask Begin(string key, Patient patient, CancellationToken cancellationToken);

    /// <summary>Keeps this node's own answer, for a node that may have to go on with the scrub.</summary>
    ValueTask Answer(string key, UnitAnswer answer, CancellationToken cancellationToken);

    /// <summary>
    /// The answers that have come since the last time, each once. Units whose node was silent for too long are open again when this has
    /// made sure that its session does not read any more.
    /// </summary>
    /// <param name="patient">A session at the patient.</param>
    ValueTask<IReadOnlyDictionary<string, UnitAnswer>> Collect(Patient patient, CancellationToken cancellationToken);

    /// <summary>Takes back what nobody has taken yet.</summary>
    /// <returns>The keys that are this node's alone now.</returns>
    ValueTask<IReadOnlyList<string>> Withdraw(IReadOnlyList<string> keys, CancellationToken cancellationToken);

    /// <summary>Waits until it is worth to ask again.</summary>
    ValueTask Rest(CancellationToken cancellationToken);
}

/// <summary>A piece that any node may examine.</summary>
public sealed record Unit(string Key, ICheck Check, Portion Piece);

/// <summary>What a node says of a unit.</summary>
public sealed record UnitAnswer(Verdict Verdict, TimeSpan Took)
{
    /// <summary>Reading it crashed the server: nothing that it rests on is read through the server again.</summary>
    public bool Crashed { get; init; }

    /// <summary>Of an earlier life of the same look.</summary>
    public Carried? Carried { get; init; }
}
