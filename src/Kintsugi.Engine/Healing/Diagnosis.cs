using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Kintsugi;

/// <summary>Turns findings into cases: one cause is one case, whatever the number of its objects.</summary>
public static class Diagnosis
{
    /// <summary>The fact that names other tables on which a finding rests: a JSON array of schema and name in turn.</summary>
    public const string StandsOn = "stands_on";

    public static IReadOnlyList<HealingCase> Cases(IReadOnlyList<Finding> findings)
    {
        var damage = findings.Where(finding => !finding.Fault.Advice).ToList();
        return [.. damage
            .GroupBy(finding => (finding.Target.Server, finding.Target.Database, finding.Fault.Id, Cause: CauseKey(finding)))
            .Select(group => ToCase([.. group], damage))
            // Large values are read through the index of their TOAST table: what looks lost may only be hidden by it.
            .OrderBy(healing => healing.Target is { Kind: TargetKind.Index, ObjectSchema: "pg_toast" } ? 0 : 1)
            .ThenBy(healing => healing.Fault.Layer)
            .ThenBy(healing => healing.Target.Name, StringComparer.Ordinal)];
    }

    /// <summary>
    /// What two findings of one fault class must share to be one case. A check that knows the cause says so in the fact "cause";
    /// otherwise damage to one object is one case.
    /// </summary>
    private static string CauseKey(Finding finding) =>
        finding.Facts.TryGetValue("cause", out var cause)
            ? cause
            : string.Join('\u001f', finding.Target.ObjectSchema ?? finding.Target.Schema, finding.Target.Object ?? finding.Target.Relation,
                finding.Target.Rule);

    private static HealingCase ToCase(List<Finding> group, List<Finding> all)
    {
        var first = group[0];
        var key = string.Join('\u001f', first.Target.Server, first.Target.Database, first.Fault.Id, CauseKey(first));
        var tables = group.Select(finding => (finding.Target.Schema, finding.Target.Relation)).Concat(group.SelectMany(Grounds)).ToHashSet();
        return new HealingCase
        {
            Id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..12],
            Cause = first.Facts.TryGetValue("story", out var story) ? story : Sentence(group),
            Fault = first.Fault,
            Findings = group,
            Neighbours = [.. all.Where(other => !group.Contains(other) && other.Target.Database == first.Target.Database
                && tables.Contains((other.Target.Schema, other.Target.Relation)))],
            Witnesses = [.. all.Where(other => !group.Contains(other) && other.Target.Database == first.Target.Database
                && Grounds(other).Any(tables.Contains))],
        };
    }

    private static IEnumerable<(string? Schema, string? Relation)> Grounds(Finding finding)
    {
        if (!finding.Facts.TryGetValue(StandsOn, out var list))
            yield break;
        using var json = JsonDocument.Parse(list);
        foreach (var pair in json.RootElement.EnumerateArray().Select(item => item.GetString()).Chunk(2))
            yield return (pair[0], pair[1]);
    }

    private static string Sentence(List<Finding> group)
    {
        var objects = group.Select(finding => finding.Target.Name).Distinct().ToList();
        var where = objects.Count == 1 ? objects[0] : $"{objects.Count} objects ({string.Join(", ", objects.Take(3))} …)";
        return $"{where}: {group[0].Fault.Title}";
    }
}
