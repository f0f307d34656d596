namespace Kintsugi.Pages.Mending;

/// <summary>On what a correction stands.</summary>
public enum Basis
{
    /// <summary>The page's own bytes leave one answer.</summary>
    Arithmetic,

    /// <summary>Witnesses agree and none contradicts.</summary>
    Testimony,
}

/// <summary>One sign of what was true before the damage.</summary>
/// <param name="Name">A short name; two witnesses of one name count once.</param>
/// <param name="Supports">Whether it speaks for the correction, or against it.</param>
/// <param name="Because">The sentence for plan and record.</param>
public sealed record Witness(string Name, bool Supports, string Because);

/// <summary>Bytes of a page set right.</summary>
/// <param name="Mends">The flaw, or None where only witnesses from elsewhere accused.</param>
/// <param name="Item">Line pointer number, 0 for the page's header.</param>
/// <param name="At">First byte changed.</param>
/// <param name="Before">What stood there.</param>
/// <param name="After">What stands there now.</param>
/// <param name="Basis">On what it stands.</param>
/// <param name="Witnesses">Who speaks for it.</param>
/// <param name="What">What was done, in words.</param>
/// <param name="IsGuess">Whether other changes fit as well, and this one was chosen because it differs by a single bit.</param>
public sealed record Correction(
    FlawKind Mends, int Item, int At, ReadOnlyMemory<byte> Before, ReadOnlyMemory<byte> After, Basis Basis,
    IReadOnlyList<Witness> Witnesses, string What, bool IsGuess = false)
{
    /// <summary>Witnesses that must agree before a correction that is no arithmetic may be made unasked.</summary>
    public const int EnoughWitnesses = 2;

    /// <summary>Whether a person has to agree first.</summary>
    public bool NeedsApproval => IsGuess || Basis == Basis.Testimony
        && (Witnesses.Any(witness => !witness.Supports)
            || Witnesses.Select(witness => witness.Name).Distinct(StringComparer.Ordinal).Count() < EnoughWitnesses);
}

/// <summary>Something wrong that was left as it is.</summary>
/// <param name="Flaw">What is wrong.</param>
/// <param name="Reason">Why it was not mended.</param>
/// <param name="Witnesses">Everything that was heard about it.</param>
public sealed record LeftOpen(Flaw Flaw, string Reason, IReadOnlyList<Witness> Witnesses);

/// <summary>What came of it. The page's LSN and checksum are the writer's to set.</summary>
/// <param name="Page">The page with every correction made.</param>
/// <param name="Corrections">What was changed, in order.</param>
/// <param name="Open">What was not.</param>
public sealed record PageOperation(byte[] Page, IReadOnlyList<Correction> Corrections, IReadOnlyList<LeftOpen> Open)
{
    /// <summary>Whether something was changed and nothing wrong is left.</summary>
    public bool IsWhole => Corrections.Count > 0 && Open.Count == 0;

    /// <summary>Whether a person has to agree first.</summary>
    public bool NeedsApproval => Corrections.Any(correction => correction.NeedsApproval);
}
