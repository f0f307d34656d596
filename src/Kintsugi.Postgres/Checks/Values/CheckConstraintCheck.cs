using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Values;

/// <summary>
/// Every CHECK constraint, NOT NULL and domain constraint against the rows themselves, also those that are marked valid: the
/// server looks at a constraint when a row is written, and never again. One pass over a table serves all of its constraints.
/// </summary>
public sealed class CheckConstraintCheck(ConsistencyRules rules) : IBatchCheck
{
    private const string NotNull = "NOT NULL";

    public string Id => "check-constraint";
    public string Proves => "every row satisfies its CHECK, NOT NULL and domain constraints";
    public Layer Layer => Layer.Value;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.CheckViolated, Faults.NullForbidden];
    public Needs Needs { get; } = new();

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var keys = await TableKeys.Read(patient.Session, cancellationToken);
        var (constraints, unreadable) = await CheckConstraintReader.Read(patient, cancellationToken);
        var portions = new List<Portion>(unreadable);
        foreach (var group in constraints.GroupBy(rule => rule.Table))
        {
            if (patient.Relations.Find(group.Key) is not { IsCatalog: false } table)
                continue;
            var pass = new TablePass();
            // NOT NULL cannot fail to evaluate: one portion for all columns, else a wide schema would fill the report.
            foreach (var one in group.GroupBy(rule => rule.Name == NotNull ? NotNull : $"{rule.Name}\0{rule.Column}"))
                portions.Add(RowPortion.Of(table, one.First().Name, one.Key == NotNull ? null : one.First().Column,
                    [.. one.GroupBy(rule => (rule.Column, rule.Type, rule.Expression)).Select(same => Test([.. same], table, keys.Of(table), patient))], pass, patient));
        }
        return portions;
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var verdict = await ((RowPortion)portion).Examine(patient, cancellationToken);
        return verdict is Verdict.Damaged { Findings: [var finding, ..] }
            && finding.Facts.TryGetValue(FactNames.DependsOn, out var functions)
            ? new Verdict.NotApplicable(
                $"{finding.Rows} rows do not satisfy it now, but it depends on more than the row ({functions}): "
                + "whether they did when they were written cannot be told")
            : verdict;
    }

    public ValueTask<IReadOnlyCollection<Portion>> Acquit(
        IReadOnlyList<Portion> portions, Patient patient, CancellationToken cancellationToken) =>
        RowPortion.Acquit(portions, patient, cancellationToken);

    /// <param name="places">One rule, for each place of the column's values that it is about: of a composite value there may be several.</param>
    private RowTest Test(IReadOnlyList<ValueRule> places, Relation table, IReadOnlyList<string> key, Patient patient)
    {
        var rule = places[0];
        var question = new RowQuestion(table, string.Join(" OR ", places.Select(place => Violation(place, table))), key)
        {
            Role = OwnerRights.Role(table, rule.CallsOthers, patient),
            // A key column that is NULL against the rules still makes a key.
            Shown = rule is { Column: { } column, Expression: not null }
                ? RowQuestion.JsonOf(Quote.Identifier(table.Name), [column]) : null,
        };
        var choice = rules.Constraints.FirstOrDefault(c =>
            (c.Constraint == rule.Name || (rule.Expression is null && c.Constraint == rule.Column)) && c.Table.Schema == table.Schema && c.Table.Name == table.Name);
        return new RowTest(question, (target, found, _, _) => ValueTask.FromResult(Tell(rule, target, question, found, choice)));
    }

    /// <summary>num_nulls cannot be proven away by the planner, which from 17 on believes NOT NULL.</summary>
    private static string Violation(ValueRule rule, Relation table)
    {
        var column = rule.Column is null ? "" : $"{Quote.Identifier(table.Name)}.{Quote.Identifier(rule.Column)}";
        return rule switch
        {
            { Expression: null } => $"pg_catalog.num_nulls({column}) > 0",
            { Inside: { } inside } => CheckConstraintReader.Within(inside, column, OfDomain),
            { BaseType: not null } => OfDomain(column),
            _ => $"({rule.Expression}) IS FALSE",
        };

        string OfDomain(string value) =>
            $"EXISTS (SELECT FROM (SELECT {value}::{rule.BaseType} AS value) kintsugi_value WHERE ({rule.Expression}) IS FALSE)";
    }

    private static Finding Tell(ValueRule rule, Target target, RowQuestion question, RowsFound found, ConstraintChoice? choice)
    {
        var evidence = rule.Expression is null
            ? $"{Said.Rows(found)} with NULL in {rule.Column}, which is NOT NULL{Said.Example(found)}"
            : $"{Said.Rows(found)} for which CHECK ({rule.Expression}) of {rule.Name} is false{Said.Example(found)}";
        if (!rule.Enforced)
            evidence += "; it is declared NOT ENFORCED: such rows are legal to the server";
        else if (!rule.Validated)
            evidence += "; it is NOT VALID: the rows that were there before were never checked";
        var finding = Said.Finding(rule.Expression is null ? Faults.NullForbidden : Faults.CheckViolated,
            target with { Column = rule.Column }, question, found, evidence, choice?.Repair ?? new RowRepair.Report(), null);
        var facts = new Dictionary<string, string>(finding.Facts)
        {
            [FactNames.Constraint] = rule.Name,
            [FactNames.Origin] = "declared",
            [FactNames.Validated] = RowFacts.Word(rule.Validated),
            [FactNames.Enforced] = RowFacts.Word(rule.Enforced),
        };
        if (rule.DependsOn is not null)
            facts[FactNames.DependsOn] = rule.DependsOn;
        if (rule.Expression is not null)
            facts[FactNames.Expression] = rule.Expression;
        if (rule.Column is not null)
            facts[FactNames.Columns] = RowFacts.List([rule.Column]);
        return finding with { Facts = facts };
    }
}
