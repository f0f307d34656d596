namespace Kintsugi;

/// <summary>
/// What a repair's own proof has just looked at, after everything that was altered: the scrub that follows at once need not ask it again. Only checks
/// that know one fault, and only the very objects that they accused: the proof heeds nothing else of what they say.
/// </summary>
public sealed class JustProven(HealingCase healing, Registry registry, DateTimeOffset when) : IScrubJournal
{
    private readonly HashSet<(string Check, string Place)> proven =
        [.. healing.Findings.Where(finding => registry.Check(finding.Check).Finds.Count == 1).Select(finding => (finding.Check, Place(finding.Target)))];

    public string How => Carried.Repaired;

    public DateTimeOffset? ProvenAt(string check, Portion piece) => proven.Contains((check, Place(piece.Target))) ? when : null;

    public void Enter(string check, Portion piece, DateTimeOffset at)
    {
        // Nothing is resumed from it.
    }

    private static string Place(Target target) => string.Join('\u001f', target.Database, target.Kind, target.Schema, target.Relation, target.ObjectSchema, target.Object, target.Rule);
}
