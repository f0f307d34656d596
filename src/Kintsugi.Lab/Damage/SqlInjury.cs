namespace Kintsugi.Lab.Damage;

/// <summary>An injury made of SQL alone: it fits into one database of a shared server.</summary>
/// <param name="name"><inheritdoc cref="Injury"/></param>
/// <param name="accident"><inheritdoc cref="Injury"/></param>
/// <param name="fault"><inheritdoc cref="Injury"/></param>
/// <param name="target"><inheritdoc cref="Injury"/></param>
/// <param name="statements">Run one by one, each in a session of its own.</param>
/// <param name="took">A query whose one boolean is true once the damage is there.</param>
public abstract class SqlInjury(
    string name, string accident, FaultClass fault, InjuryTarget target, IReadOnlyList<string> statements, string took)
    : Injury(name, accident, fault, target)
{
    /// <summary>For statements that have to fail with this SQLSTATE, such as a unique build over duplicates; else null.</summary>
    protected string? LastFailsWith { get; init; }

    protected internal override async Task<IReadOnlyList<FileDamage>> Plan(InjuryRoom room, CancellationToken cancellationToken)
    {
        for (var i = 0; i < statements.Count; i++)
        {
            if (LastFailsWith is null || i < statements.Count - 1)
                await room.Execute(statements[i], cancellationToken);
            else if (await room.StateOf(statements[i], cancellationToken) is var state && state != LastFailsWith)
                throw DidNotTake($"{statements[i]} ended with {state ?? "success"}, expected {LastFailsWith}.");
        }
        return [];
    }

    protected internal override async Task Prove(InjuryRoom room, CancellationToken cancellationToken)
    {
        if (!await room.Scalar<bool>(took, cancellationToken))
            throw DidNotTake($"{took} is not true.");
    }
}
