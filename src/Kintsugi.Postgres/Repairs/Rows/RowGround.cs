using System.Text.Json.Nodes;
using Kintsugi.Postgres.Checks.References;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>What stands against touching any row of a case, whatever the repair.</summary>
internal static class RowGround
{
    /// <summary>
    /// A refusal that no harsher means may pass: the evidence is provisional, or storage or heap of a table that it rests on is damaged. A row
    /// that seems wrong is then a witness of what is lost.
    /// </summary>
    public static Proposal.Refused? Refusal(HealingCase healing) =>
        healing.Findings.Select(finding => finding.Facts.GetValueOrDefault(FactNames.ParentSuspect)).FirstOrDefault(it => it is not null) is { } suspect
            ? new Proposal.Refused($"{suspect}. These rows are witnesses of the parents: bring the parents back first", Final: true)
            : Unproven(healing);

    /// <summary>The same, but for parents that may be hidden: for a repair that brings them back.</summary>
    public static Proposal.Refused? Unproven(HealingCase healing)
    {
        foreach (var finding in healing.Findings)
        {
            if (finding.Provisional is { } why)
                return new Proposal.Refused($"the evidence is provisional: {why}; what lies below it comes first", Final: true);
            if (finding.Facts.TryGetValue(FactNames.Subscribed, out var subscribed) && subscribed == "true")
                return new Proposal.Refused("the table is fed by a subscription: repair its rows on the publisher", Final: true);
        }
        var sick = healing.Neighbours.FirstOrDefault(other => other.Fault.Layer is Layer.Storage or Layer.Heap);
        return sick is null ? null : new Proposal.Refused(
            $"{sick.Target.Name} is damaged ({sick.Fault.Id}): which rows are really missing or wrong cannot be told before it is healed", Final: true);
    }

    /// <summary>A fact that is a list of texts; empty where it is absent.</summary>
    public static string[] List(Finding finding, string name) =>
        finding.Facts.TryGetValue(name, out var text) ? RowBatch.Strings(JsonNode.Parse(text)!) : [];

    public static bool Says(Finding finding, string name, string value) =>
        finding.Facts.TryGetValue(name, out var said) && said == value;
}
