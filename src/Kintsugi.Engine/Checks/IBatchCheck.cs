namespace Kintsugi;

/// <summary>A check that can prove many small pieces by one common look: a round trip for each of ten thousand tables costs more than the tables.</summary>
public interface IBatchCheck : ICheck
{
    /// <summary>
    /// Looks at all of these pieces together and answers with those that it has proven sound, by the same proof as
    /// <see cref="ICheck.Examine"/>. It accuses nobody: whatever it leaves out is examined alone.
    /// </summary>
    /// <exception cref="PatientException">Then nothing was proven, and each piece is examined alone.</exception>
    ValueTask<IReadOnlyCollection<Portion>> Acquit(IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken);
}
