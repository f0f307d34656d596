using Kintsugi.Configuration;

namespace Kintsugi.Hosting;

/// <summary>
/// Rows are changed without a person only where their violation is new and lasts: the place was proven sound before it was seen first, and two
/// looks that lie apart saw it.
/// </summary>
internal static class Seasoning
{
    private const string Young = "rows are changed when two looks at least", Old = "it was there when this place was first looked at",
        TakenBack = "a person took this repair back";

    /// <summary>Whether that is a reason of this kind.</summary>
    public static bool Holds(string? reason) =>
        reason is not null && (reason.StartsWith(Young, StringComparison.Ordinal) || reason.StartsWith(Old, StringComparison.Ordinal)
            || reason.StartsWith(TakenBack, StringComparison.Ordinal));

    /// <returns>Why rows of this case may not be changed yet, or null.</returns>
    public static async ValueTask<string?> WhyHeld<TMemory>(
        TMemory memory, HealingCase healing, PolicyConfiguration policy, CancellationToken cancellationToken)
        where TMemory : IMemory, ILedger
    {
        var server = healing.Target.Server;
        var history = new CaseHistory(await memory.FactsOf(healing.Id, cancellationToken));
        if (history.Undone)
            return $"{TakenBack}: kintsugi cases acknowledge {healing.Id}, if it is to be repaired again";
        var known = await memory.Sightings(server, cancellationToken);
        if (!healing.Findings.All(finding => known.TryGetValue(finding.Id, out var seen) && seen.LastSeen - seen.FirstSeen >= policy.ConfirmAfter))
            return $"{Young} {policy.ConfirmAfter.TotalHours:0.##} h apart saw the violation (confirm_after)";
        if (history.Acknowledged || policy.RepairExisting)
            return null;
        var proven = (await memory.Proofs(server, cancellationToken)).ToDictionary(proof => (proof.Check, proof.Database, proof.Object), proof => proof.At);
        return healing.Findings.All(finding =>
            proven.TryGetValue((finding.Check, finding.Target.Database ?? "", Proof.Place(finding.Target)), out var at) && at < known[finding.Id].FirstSeen)
            ? null
            : $"{Old}: kintsugi cases acknowledge {healing.Id}, or policy: repair_existing: true";
    }
}
