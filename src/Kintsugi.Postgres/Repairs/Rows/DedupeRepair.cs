using Kintsugi.Postgres.Checks.Uniqueness;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Repairs.Rows;

/// <summary>
/// Duplicates under a unique index: one row of each key stays, by the owner's rule or the one that most rows refer to; what refers to the
/// others is led to it; the others go to quarantine; then the index is built anew.
/// </summary>
public sealed class DedupeRepair(ConsistencyRules rules) : IRepair
{
    public string Id => "dedupe";
    public string Does => "keeps one row of each key, puts the others into quarantine and rebuilds the unique index";
    public IReadOnlyList<FaultClass> Mends => [Faults.UniqueViolated];
    public Grade Grade => Grade.Reversible;

    public async ValueTask<Proposal> Plan(HealingCase healing, Patient patient, CancellationToken cancellationToken)
    {
        if (RowGround.Refusal(healing) is { } refusal)
            return refusal;
        var target = healing.Target;
        if (healing.Findings.Count != 1 || patient.Relations.Find(target.ObjectSchema, target.Object) is not { Index: { } facts } index
            || patient.Relations.Find(index.HeapOid) is not { } heap)
            return new Proposal.Refused($"{target.Name} is not in the catalog any more");
        if (facts.Exclusion || await UniqueKey.Read(index, patient.Session, cancellationToken) is not { } key
            || !key.Columns.All(column => column.Groups))
            return new Proposal.Refused($"which of the rows under {target.Name} stays cannot be chosen by a rule of ours (an exclusion constraint, or an "
                + $"equality of its own): {healing.Findings[0].Evidence}. Remove or alter one by hand", Final: true);
        if (await GroundProof.Of(index, patient, cancellationToken) is not Verdict.Sound and var ground)
            return new Proposal.Refused($"the table under {target.Name} could not be proven: "
                + (ground is Verdict.Damaged sick ? sick.Findings[0].Evidence : ground.Why), Final: true);
        var choice = rules.Unique.FirstOrDefault(rule => rule.Index.Schema == index.Schema && rule.Index.Name == index.Name);
        return await Propose(healing, index, heap, key, choice, patient, cancellationToken);
    }

    private async ValueTask<Proposal> Propose(
        HealingCase healing, Relation index, Relation heap, UniqueKey key, UniqueChoice? choice, Patient patient,
        CancellationToken cancellationToken)
    {
        var duplicates = new DuplicateGroups(heap, patient);
        var nulls = index.Index!.NullsNotDistinct;
        if (await duplicates.Find(key, nulls, cancellationToken) is not { } groups)
            return new Proposal.Refused("20 rows or more share one key: this is no accident of an index; decide by hand", Final: true);
        var role = choice?.Keep is KeepRow.OrderBy && patient.Can.Superuser && heap.Owner != patient.Can.User ? heap.Owner : null;
        var keepers = new Dictionary<string, string>();
        var numbers = new Dictionary<string, int>();
        foreach (var (group, number) in groups.Select((group, i) => (group, i)))
        {
            var ranked = await duplicates.Ranked(group, choice?.Keep ?? new KeepRow.MostReferenced(), role, cancellationToken);
            foreach (var loser in ranked.Skip(1))
                (keepers[loser], numbers[loser]) = (ranked[0], number);
        }
        var selection = new RowSelection(patient);
        await selection.Pick(heap, numbers, cancellationToken);
        if (selection.Rows.Count == 0 || selection.Rows.Count != keepers.Count)
            return new Proposal.Refused("the duplicates moved while they were looked at; run again");
        await selection.Redirect(heap, keepers, cancellationToken);
        var effects = await RowEffects.Look(selection, patient, cancellationToken);
        if ((selection.Obstacle ?? effects.Obstacle) is { } obstacle)
            return new Proposal.Refused(obstacle, Final: true);
        var batch = new RowBatch { Tables = [], Rows = [], Proof = duplicates.Proof(key, nulls, keepers.Values.Distinct()) };
        var plan = RowPlan.Make(Id, healing, heap, selection, batch, index.Name,
            $"one row of each key stays: {Words(choice?.Keep)}", effects);
        return new Proposal.Planned(plan with
        {
            Steps = [.. plan.Steps, ReindexRepair.Rebuild(index, patient, healing.Database!)],
            Alters = [.. plan.Alters, healing.Target],
            ChosenByOwner = choice is not null,
            NeedsApproval = plan.NeedsApproval ?? (choice is null
                ? "no rule of the owner says which row stays (consistency: unique: keep); proposed: the one that most rows refer to, else the oldest"
                : null),
        });
    }

    private static string Words(KeepRow? rule) => rule switch
    {
        KeepRow.Newest => "the one written last",
        KeepRow.Oldest => "the one written first",
        KeepRow.OrderBy { Sql: var sql } => $"the first by {sql}",
        _ => "the one that most rows refer to",
    };
}
