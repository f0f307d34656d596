using Kintsugi.Postgres.Checks.References;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>The one table that a case of rows is about, or why none of its rows may be touched.</summary>
internal sealed record AccusedTable(Finding Finding, Relation Table)
{
    /// <summary>Where the rule runs code of the owner's, with whose rights.</summary>
    public string? Role => Finding.Facts.GetValueOrDefault(FactNames.Role);
    public string? Violation => Finding.Facts.GetValueOrDefault(FactNames.Violation);
    public string Rule => Finding.Target.Rule ?? "";

    public static (AccusedTable? Accused, Proposal.Refused? Refusal) Of(HealingCase healing, Patient patient)
    {
        if (RowGround.Refusal(healing) is { } refusal)
            return (null, refusal);
        if (healing.Findings.Count != 1)
            return (null, new Proposal.Refused("several rules in one case: heal them one by one"));
        var target = healing.Findings[0].Target;
        return patient.Relations.Find(target.ObjectSchema ?? target.Schema, target.Object ?? target.Relation) is { } table
            ? (new AccusedTable(healing.Findings[0], table), null)
            : (null, new Proposal.Refused($"{target.Name} is not in the catalog any more"));
    }

    /// <summary>A batch over this table's rule; whatever is not certainly the server's own code runs with the owner's rights.</summary>
    public RowBatch Batch() => new() { Tables = [], Rows = [], Violation = Violation ?? "", OwnersCode = Role is not null };
}
