using System.Security.Cryptography;

namespace Kintsugi.Lab.Damage;

/// <summary>An injury done to files of a stopped server: the place is found while it runs, by its own catalogs.</summary>
/// <param name="name"><inheritdoc cref="Injury"/></param>
/// <param name="accident"><inheritdoc cref="Injury"/></param>
/// <param name="fault"><inheritdoc cref="Injury"/></param>
/// <param name="target"><inheritdoc cref="Injury"/></param>
/// <param name="symptom">SQL that shows the damage: one true boolean, or a failure where <paramref name="failsWith"/>
/// is given.</param>
/// <param name="failsWith">How the SQLSTATE of the failure begins; null when the symptom is an answer.</param>
public abstract class FileInjury(
    string name, string accident, FaultClass fault, InjuryTarget target, string symptom, string? failsWith = null)
    : Injury(name, accident, fault, target)
{
    public override bool StopsServer => true;

    /// <summary>Finds the place and says what will be done to it.</summary>
    private protected abstract Task<(RelationFile File, Action<RelationFile> Damage)> Aim(
        InjuryRoom room, CancellationToken cancellationToken);

    protected internal override async Task<IReadOnlyList<FileDamage>> Plan(InjuryRoom room, CancellationToken cancellationToken)
    {
        var (file, damage) = await Aim(room, cancellationToken);
        return [new FileDamage($"{Name} in {file.Path}", () =>
        {
            var before = Hash(file.Path);
            damage(file);
            if (Hash(file.Path).SequenceEqual(before))
                throw DidNotTake($"{file.Path} is as it was.");
        })];
    }

    protected internal override async Task Prove(InjuryRoom room, CancellationToken cancellationToken)
    {
        if (failsWith is null)
        {
            if (!await room.Scalar<bool>(symptom, cancellationToken))
                throw DidNotTake($"{symptom} is not true.");
        }
        else if (await room.StateOf(symptom, cancellationToken) is var state
            && state?.StartsWith(failsWith, StringComparison.Ordinal) != true)
        {
            throw DidNotTake($"{symptom} ended with {state ?? "success"}, expected SQLSTATE {failsWith}.");
        }
    }

    private static byte[] Hash(string path) => File.Exists(path) ? SHA256.HashData(File.ReadAllBytes(path)) : [];
}
