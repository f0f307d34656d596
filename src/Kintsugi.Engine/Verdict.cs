namespace Kintsugi;

/// <summary>What one examination concluded. Failing to look is not health.</summary>
public abstract record Verdict
{
    private Verdict()
    {
    }

    public sealed record Sound : Verdict
    {
        public static Sound Instance { get; } = new();
    }

    public sealed record Damaged(IReadOnlyList<Finding> Findings) : Verdict
    {
        public Damaged(Finding finding)
            : this([finding])
        {
        }
    }

    /// <summary>It should have been examined and was not: no privilege, no lock, no extension, time over, unproven ground.</summary>
    public sealed record Unchecked(string Reason) : Verdict;

    /// <summary>No check exists for this kind of object on this server: counted apart, no cause for exit 3.</summary>
    public sealed record NotApplicable(string Reason) : Verdict;

    /// <summary>Findings, or sound when there are none.</summary>
    public static Verdict From(IReadOnlyList<Finding> findings) => findings.Count == 0 ? Sound.Instance : new Damaged(findings);

    /// <summary>The word in JSON.</summary>
    public string Word => this switch
    {
        Sound => "sound",
        Damaged => "damaged",
        Unchecked => "unchecked",
        _ => "not_applicable",
    };

    public string? Why => this switch
    {
        Unchecked it => it.Reason,
        NotApplicable it => it.Reason,
        _ => null,
    };
}
