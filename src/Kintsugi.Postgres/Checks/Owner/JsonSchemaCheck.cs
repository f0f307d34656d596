using Kintsugi.JsonSchema;
using Kintsugi.Postgres.Checks.References;
using Kintsugi.Postgres.Checks.Rows;
using Kintsugi.Postgres.Sessions;
using Kintsugi.Rules;

namespace Kintsugi.Postgres.Checks.Owner;

/// <summary>
/// The owner's JSON Schemas (draft 2020-12) against every document of a json or jsonb column. What the server can decide it
/// decides: only rows that could be bad travel, and the validator has the last word on them.
/// </summary>
public sealed class JsonSchemaCheck(ConsistencyRules rules) : ICheck
{
    private const uint Json = 114, Jsonb = 3802;

    public string Id => "json-schema";
    public string Proves => "every JSON document obeys the schema that the owner gives for its column";
    public Layer Layer => Layer.Value;
    public Depth Depth => Depth.Standard;
    public IReadOnlyList<FaultClass> Finds => [Faults.JsonInvalid];
    public Needs Needs { get; } = new();

    private sealed record JsonPortion(
        Target Target, JsonRule Rule, CompiledSchema Schema, RuleColumn Column, RowQuestion Suspects, bool Exact)
        : Portion(Target);

    public async ValueTask<IReadOnlyList<Portion>> Divide(Patient patient, Depth depth, CancellationToken cancellationToken)
    {
        var portions = new List<Portion>();
        foreach (var rule in rules.Json)
            portions.AddRange(await Portions(rule, patient, cancellationToken));
        return portions;
    }

    public async ValueTask<Verdict> Examine(Portion portion, Patient patient, CancellationToken cancellationToken)
    {
        var asked = (JsonPortion)portion;
        try
        {
            var found = asked.Exact
                ? (await RowSearch.Find(asked.Suspects, patient, cancellationToken), null)
                : await Documents.Find(
                    asked.Suspects, asked.Schema, Value(asked.Relation!, asked.Column), asked.Rule.NullsAllowed, patient,
                    cancellationToken);
            if (found.Item1.Untrusted is { } why)
                return new Verdict.Unchecked(why);
            if (found.Item1.Rows > 0)
                return new Verdict.Damaged(Tell(asked, found.Item1));
            return found.Item2 is { } undecided ? new Verdict.Unchecked($"rule {asked.Rule.Name}: {undecided}")
                : Verdict.Sound.Instance;
        }
        catch (PatientException problem) when (problem is { ConnectionLost: false, SqlState: not null })
        {
            return new Verdict.Unchecked($"rule {asked.Rule.Name}: {problem.Message} (SQLSTATE {problem.SqlState})");
        }
    }

    private static async ValueTask<IReadOnlyList<Portion>> Portions(
        JsonRule rule, Patient patient, CancellationToken cancellationToken)
    {
        if (RuleTables.Find(rule.Table, patient) is not { } table)
            return [RuleTables.Unasked(rule.Name, rule.Table, RuleTables.NoTable(rule.Table), patient)];
        var columns = await RuleTables.ColumnsOf(table, patient.Session, cancellationToken);
        if (!columns.TryGetValue(rule.Column, out var column))
            return [RuleTables.Unasked(rule.Name, rule.Table, RuleTables.NoColumn(rule.Table, rule.Column), patient)];
        if (column.BaseOid is not (Json or Jsonb))
            return [RuleTables.Unasked(
                rule.Name, rule.Table,
                $"column {rule.Column} is of type {column.Base}, expected json or jsonb; mend the configuration", patient)];
        var compiled = CompiledSchema.Compile(rule.Schema, SchemaOptions.Default);
        if (compiled.Schema is not { } schema)
            return [RuleTables.Unasked(rule.Name, rule.Table,
                "its schema is wrong: "
                    + string.Join("; ", compiled.Errors.Select(error => $"{error.Location}: {error.Message}")), patient)];

        var keys = await TableKeys.Read(patient.Session, cancellationToken);
        return [.. (await RuleTables.HeapsOf(table, patient, cancellationToken))
            .Select(heap => Portion(rule, heap, column, schema, keys.Of(heap), patient))];
    }

    private static JsonPortion Portion(
        JsonRule rule, Relation heap, RuleColumn column, CompiledSchema schema, IReadOnlyList<string> key, Patient patient)
    {
        var value = Value(heap, column);
        var predicate = column.BaseOid == Jsonb ? SqlPredicate.For(schema, value) : null;
        // What NULL means is the owner's say, not the schema's.
        var suspects = rule.NullsAllowed
            ? $"pg_catalog.num_nulls({value}) < 1 AND ({predicate?.Text ?? "true"})"
            : $"pg_catalog.num_nulls({value}) > 0 OR ({predicate?.Text ?? "true"})";
        var target =
            heap.ToTarget(
            patient.Can.SystemIdentifier, patient.Relations.Database) with { Rule = rule.Name, Column = column.Name };
        return new JsonPortion(
            target, rule, schema, column,
            new RowQuestion(heap, suspects, key) { Shown = $"pg_catalog.left({value}::pg_catalog.text, 200)" },
            predicate is { IsExact: true } || (predicate is { IsExactInUtf8: true } && patient.Can.Encoding == "UTF8"))
        {
            Relation = heap,
            Weight = heap.Pages,
            StandsOn = [heap.Oid, heap.ToastOid],
            Settled = Eligible.Settle(heap, patient),
        };
    }

    private static string Value(Relation heap, RuleColumn column) =>
        $"{Quote.Identifier(heap.Name)}.{Quote.Identifier(column.Name)}";

    private static Finding Tell(JsonPortion portion, RowsFound found)
    {
        var rule = portion.Rule;
        var finding = Said.Finding(Faults.JsonInvalid, portion.Target, portion.Suspects, found,
            $"{Said.Rows(found)} whose {rule.Column} does not obey its JSON "
                + $"Schema{(rule.NullsAllowed ? "" : " or is NULL")}{Said.Example(found)}",
            rule.Repair, rule.Flag);
        var facts = new Dictionary<string, string>(finding.Facts)
        {
            [FactNames.Constraint] = rule.Name,
            [FactNames.Origin] = "rule",
            [FactNames.Columns] = RowFacts.List([rule.Column]),
            [FactNames.Type] = portion.Column.Base,
            [FactNames.Nullable] = RowFacts.Word(!portion.Column.NotNull),
            [FactNames.Schema] = rule.Schema,
            [FactNames.NullsAllowed] = RowFacts.Word(rule.NullsAllowed),
        };
        if (!portion.Exact)
        {
            facts.Remove(FactNames.Violation);
            facts[FactNames.Suspect] = portion.Suspects.Violation;
        }
        return finding with { Facts = facts };
    }
}
