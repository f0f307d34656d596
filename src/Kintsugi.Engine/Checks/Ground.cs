using System.Collections.Concurrent;

namespace Kintsugi;

/// <summary>What the layers before have shown about each relation of one database: the ground that later checks stand on.</summary>
internal sealed class Ground
{
    private readonly ConcurrentDictionary<uint, (Layer Layer, string Why, bool Damaged)> unproven = new();
    private readonly ConcurrentDictionary<uint, bool> poisoned = new();

    public void Record(Portion portion, ICheck check, Verdict verdict)
    {
        // Only storage and heap carry other layers, and of those only the rows' own fork: a damaged map or an orphan undermines nobody.
        if (portion.Relation is not { } relation || check.Layer is not (Layer.Storage or Layer.Heap))
            return;
        if (verdict is Verdict.Damaged damaged && damaged.Findings.FirstOrDefault(f => f.Target.Fork is null or "main") is { } worst)
            unproven[relation.Oid] = (check.Layer, $"{worst.Fault.Id} was found in it", true);
        else if (verdict is Verdict.Unchecked it)
            unproven.TryAdd(relation.Oid, (check.Layer, it.Reason, false));
    }

    /// <summary>The relation that must not be read through the server again.</summary>
    public void Poison(uint oid, string why)
    {
        unproven[oid] = (Layer.Storage, why, true);
        poisoned[oid] = true;
    }

    public bool IsPoisoned(Portion portion) => portion.Relation is { } relation && poisoned.ContainsKey(relation.Oid);

    /// <summary>Whether anything was seen, in any layer so far, that speaks against what this piece rests on.</summary>
    public bool IsDoubted(Portion portion) =>
        portion.StandsOn.Any(unproven.ContainsKey) || (portion.Relation is { } relation && unproven.ContainsKey(relation.Oid));

    /// <summary>Why an answer of that layer about this portion would not count, or null.</summary>
    public (string Why, bool Damaged)? WeaknessUnder(Portion portion, Layer layer, Inventory? inventory)
    {
        foreach (var oid in portion.StandsOn)
            if (unproven.TryGetValue(oid, out var weak) && weak.Layer < layer)
                return ($"{inventory?.Find(oid)?.Name ?? "its table"} is not proven: {weak.Why}", weak.Damaged);
        return null;
    }
}
