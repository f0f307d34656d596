using Kintsugi.Postgres.Checks.Owner;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.References;

/// <summary>
/// Every foreign key, declared or the owner's, against the rows themselves: whether for each referring row there is a parent, by
/// the constraint's own operators, read from the two heaps in one statement. NOT VALID, NOT ENFORCED and disabled keys are looked
/// at all the same. No index is asked: a parent's index that has lost an entry must not make its children orphans.
/// </summary>
public sealed class ForeignKeyCheck(ConsistencyRules rules) : ICheck
{
    public string Id => "foreign-key";
    public string Proves => "every row that refers to another table finds its parent there";
    public Layer Layer => Layer.Reference;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.RowOrphaned];
    public Needs Needs { get; } = new();

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var keys = await TableKeys.Read(patient.Session, cancellationToken);
        var declared = await ForeignKeyReader.Read(patient, cancellationToken);
        var portions = declared.Select(key => (Portion)ForeignKeyPortion.Of(
            key, keys.Of(key.Child), ChoiceFor(key)?.Repair ?? new RowRepair.Report(), patient)).ToList();
        foreach (var rule in rules.ForeignKeys)
        {
            var (references, why) = await RuleReferences.Resolve(rule, patient, cancellationToken);
            portions.AddRange(why is not null
                ? [RuleTables.Unasked(rule.Name, rule.Table, why, patient)]
                : references.Select(key => ForeignKeyPortion.Of(key, keys.Of(key.Child), rule.Repair, patient)));
        }
        return portions;
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var asked = (ForeignKeyPortion)portion;
        var key = asked.ForeignKey;
        RowsFound found;
        try
        {
            found = await RowSearch.Find(key.Question(asked.Key), patient, cancellationToken);
        }
        catch (PatientException problem) when (key.Where is not null && problem is { ConnectionLost: false, SqlState: not null })
        {
            return new Verdict.Unchecked(
                $"rule {key.Name}: {problem.Message} (SQLSTATE {problem.SqlState}); look at its condition: {key.Where}");
        }
        if (found.Untrusted is { } why)
            return new Verdict.Unchecked(why);
        return found.Rows == 0
            ? Verdict.Sound.Instance
            : new Verdict.Damaged(await Tell(asked, found, patient, cancellationToken));
    }

    private static async ValueTask<Finding> Tell(
        ForeignKeyPortion portion, RowsFound found, Patient patient, CancellationToken cancellationToken)
    {
        var (suspect, probed) = await HiddenParents.Look(portion.ForeignKey, found, patient, cancellationToken);
        return OrphanFinding.Of(portion, found, suspect, probed, await OrphanCause.Of(portion.ForeignKey, found, suspect, patient, cancellationToken));
    }

    /// <summary>What the owner chose for a declared key; a partition's is that of the table it belongs to.</summary>
    private ConstraintChoice? ChoiceFor(ForeignKey key) => rules.Constraints.FirstOrDefault(choice =>
        choice.Constraint == key.Name && (Is(choice.Table, key.Child) || Is(choice.Table, key.Root)));

    private static bool Is(ObjectName name, Relation relation) => name.Schema == relation.Schema && name.Name == relation.Name;
}

/// <summary>One foreign key to be looked at.</summary>
internal sealed record ForeignKeyPortion(Target Target, ForeignKey ForeignKey, IReadOnlyList<string> Key, RowRepair Repair)
    : Portion(Target)
{
    public static ForeignKeyPortion Of(ForeignKey key, IReadOnlyList<string> columns, RowRepair repair, Patient patient)
    {
        var target = key.Child.ToTarget(patient.Can.SystemIdentifier, patient.Relations.Database) with { Rule = key.Name };
        return new ForeignKeyPortion(target, key, columns, repair)
        {
            Relation = key.Child,
            Weight = key.Child.Pages + key.ParentHeaps.Sum(parent => parent.Pages),
            StandsOn = [.. key.ParentHeaps.Prepend(key.Child).SelectMany(heap => new[] { heap.Oid, heap.ToastOid })],
            Settled = key.ParentHeaps.Prepend(key.Child).Select(heap => Eligible.Settle(heap, patient))
                .FirstOrDefault(it => it is not null)
                ?? Unreadable(key),
        };
    }

    private static Verdict.Unchecked? Unreadable(ForeignKey key) => key.Columns.Count == key.KeyLength && key.KeyLength > 0
        ? null
        : new Verdict.Unchecked("the catalog has lost a column, type or operator of this constraint: see the check catalog");
}
