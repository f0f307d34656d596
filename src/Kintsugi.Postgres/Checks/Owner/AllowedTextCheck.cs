using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Owner;

/// <summary>
/// The owner's rules that a text column holds only labels of an enum, or texts of a list. NULL is left to NOT NULL.
/// </summary>
public sealed class AllowedTextCheck(ConsistencyRules rules) : ICheck
{
    private const string Labels = """
        SELECT e.enumlabel::pg_catalog.text FROM pg_catalog.pg_enum e
        JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname = $1::pg_catalog.text AND t.typname = $2::pg_catalog.text ORDER BY e.enumsortorder
        """;

    public string Id => "allowed-text";
    public string Proves => "columns that the owner limits to a list of texts hold nothing else";
    public Layer Layer => Layer.Value;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.ValueNotInEnum];
    public Needs Needs { get; } = new();

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var portions = new List<Portion>();
        foreach (var rule in rules.Enums)
            portions.AddRange(await Portions(rule, patient, cancellationToken));
        return portions;
    }

    public ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken) =>
        ((RowPortion)portion).Examine(patient, cancellationToken);

    private static async ValueTask<IReadOnlyList<Portion>> Portions(
        EnumRule rule, Patient patient, CancellationToken cancellationToken)
    {
        if (RuleTables.Find(rule.Table, patient) is not { } table)
            return [RuleTables.Unasked(rule.Name, rule.Table, RuleTables.NoTable(rule.Table), patient)];
        var columns = await RuleTables.ColumnsOf(table, patient.Session, cancellationToken);
        if (!columns.TryGetValue(rule.Column, out var column))
            return [RuleTables.Unasked(rule.Name, rule.Table, RuleTables.NoColumn(rule.Table, rule.Column), patient)];
        var allowed = rule.Type is { } type
            ? await patient.Session.Rows(Labels, row => row.GetString(0), cancellationToken, type.Schema, type.Name)
            : rule.Values;
        if (allowed.Count == 0)
        {
            var why = rule.Type is { } named
                ? $"there is no enum type {named} with labels in this database; mend the configuration"
                : "its list of values is empty; mend the configuration";
            return [RuleTables.Unasked(rule.Name, rule.Table, why, patient)];
        }

        var keys = await TableKeys.Read(patient.Session, cancellationToken);
        return [.. (await RuleTables.HeapsOf(table, patient, cancellationToken)).Select(heap =>
            RowPortion.Of(
                heap, rule.Name, rule.Column, [Test(rule, heap, column, allowed, keys.Of(heap))], new TablePass(), patient))];
    }

    private static RowTest Test(
        EnumRule rule, Relation table, RuleColumn column, IReadOnlyList<string> allowed, IReadOnlyList<string> key)
    {
        var value = $"{Quote.Identifier(table.Name)}.{Quote.Identifier(column.Name)}";
        var list = string.Join(", ", allowed.Select(text => $"{Quote.Literal(text)}::pg_catalog.text"));
        // Bytes are compared, whatever the column's collation takes for equal: a label is spelt in one way only.
        var question =
            new RowQuestion(
            table, $"NOT (({value}::pg_catalog.text COLLATE pg_catalog.\"C\") OPERATOR(pg_catalog.=) ANY (ARRAY[{list}]))", key)
        {
            Shown = RowQuestion.JsonOf(Quote.Identifier(table.Name), [column.Name]),
        };
        return new RowTest(
            question, (target, found, _, _) => ValueTask.FromResult(Tell(rule, column, target, question, found, allowed)));
    }

    private static Finding Tell(
        EnumRule rule, RuleColumn column, Target target, RowQuestion question, RowsFound found, IReadOnlyList<string> allowed)
    {
        var source = rule.Type is { } type ? $"the labels of {type}" : "the list";
        var finding = Said.Finding(Faults.ValueNotInEnum, target, question, found,
            $"{Said.Rows(found)} whose {column.Name} is not among {source}{Said.Example(found)}", rule.Repair, rule.Flag);
        return finding with
        {
            Facts = new Dictionary<string, string>(finding.Facts)
            {
                [FactNames.Constraint] = rule.Name,
                [FactNames.Origin] = "rule",
                [FactNames.Columns] = RowFacts.List([column.Name]),
                [FactNames.Allowed] = RowFacts.List(allowed),
                [FactNames.Type] = column.Base,
                [FactNames.Nullable] = RowFacts.Word(!column.NotNull),
            },
        };
    }
}
