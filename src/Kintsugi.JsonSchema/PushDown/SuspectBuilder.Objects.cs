namespace Kintsugi.JsonSchema;

/// <summary>Members of objects.</summary>
internal sealed partial class SuspectBuilder
{
    private IEnumerable<Suspect> Objects(SchemaNode node, string value)
    {
        if (node.UnevaluatedProperties is not (null or { Fixed: true }))
            yield return Suspect.Unknown;
        if (node.Object is not { } rules)
            yield break;
        var names = Enumerable.Range(0, rules.Names.Count).Select(rules.Names.Text).ToArray();
        if (rules.Required.Length > 0)
            yield return Lacks(value, rules.Required.Select(at => names[at]).ToList());
        foreach (var (trigger, needs) in rules.DependentRequired)
            yield return Suspect.All([Has(value, names[trigger]), Lacks(value, needs.Select(at => names[at]).ToList())]);
        foreach (var (trigger, schema) in rules.DependentSchemas)
            yield return Suspect.All([Has(value, names[trigger]), Of(schema, value)]);
        for (var at = 0; at < names.Length; at++)
        {
            if (rules.Properties[at] is { } schema && SqlText.Storable(names[at]))
                yield return Member(schema, value, names[at]);
        }

        foreach (var count in Counts(rules, value))
            yield return count;
        foreach (var some in SomeMembers(rules, value, names.Where((_, at) => rules.Properties[at] is not null).ToList()))
            yield return some;
    }

    private Suspect Member(SchemaNode schema, string value, string name)
    {
        var member = SqlText.Infix(value, "->", SqlText.Text(name));
        var suspect = Of(schema, member);
        return suspect.Sql switch
        {
            Suspect.False => Suspect.Never,
            Suspect.True => new Suspect($"({member} IS NOT NULL)", suspect.IsExact),
            _ => new Suspect($"({member} IS NOT NULL AND {suspect.Sql})", suspect.IsExact),
        };
    }

    private static Suspect Has(string value, string name) => SqlText.Storable(name)
        ? Suspect.Exactly($"pg_catalog.jsonb_exists({value}, {SqlText.Text(name)})")
        : Suspect.Never;

    private static Suspect Lacks(string value, List<string> names)
    {
        if (names.Count == 0)
            return Suspect.Never;
        return names.TrueForAll(SqlText.Storable)
            ? Suspect.Exactly($"(NOT pg_catalog.jsonb_exists_all({value}, {SqlText.Texts(names)}))")
            : Suspect.Always;
    }

    private static IEnumerable<Suspect> Counts(ObjectRules rules, string value)
    {
        var count = $"(SELECT pg_catalog.count(*) FROM pg_catalog.jsonb_object_keys({value}))";
        if (rules.MinProperties > 0)
            yield return Suspect.Exactly(SqlText.Infix(count, "<", Count(rules.MinProperties)));
        if (rules.MaxProperties < int.MaxValue)
            yield return Suspect.Exactly(SqlText.Infix(count, ">", Count(rules.MaxProperties)));
    }

    private IEnumerable<Suspect> SomeMembers(ObjectRules rules, string value, List<string> known)
    {
        foreach (var (pattern, schema) in rules.PatternProperties)
        {
            var alias = Alias();
            var suspect = Of(schema, $"{alias}.v");
            var named = Matches(pattern, $"{alias}.k");
            yield return Each(value, alias, suspect, named is null ? Suspect.Unknown : Suspect.Exactly(named));
        }

        if (rules.PropertyNames is { } names)
        {
            var alias = Alias();
            yield return Each(value, alias, Of(names, $"pg_catalog.to_jsonb({alias}.k)"), Suspect.Always);
        }

        if (rules.AdditionalProperties is { } additional)
            yield return Additional(rules, additional, value, known.Where(SqlText.Storable).ToList());
    }

    private Suspect Additional(ObjectRules rules, SchemaNode schema, string value, List<string> known)
    {
        if (schema.Fixed == false && rules.PatternProperties.Count == 0)
        {
            var rest = known.Count == 0 ? value : SqlText.Infix(value, "-", SqlText.Texts(known));
            return Suspect.Exactly(SqlText.Infix(rest, "<>", "'{}'::pg_catalog.jsonb"));
        }

        var alias = Alias();
        var suspect = Of(schema, $"{alias}.v");
        var others = rules.PatternProperties.Select(pair => Matches(pair.Pattern, $"{alias}.k") is { } matches
            ? Suspect.Exactly($"(NOT {matches})")
            : Suspect.Unknown);
        var unknown = known.Count == 0
            ? Suspect.Always
            : Suspect.Exactly($"(NOT ({SqlText.Infix($"{alias}.k", "=", $"ANY ({SqlText.Texts(known)})")}))");
        return Each(value, alias, suspect, Suspect.All(others.Append(unknown)));
    }

    /// <summary>Some member for which the condition holds is suspect.</summary>
    private static Suspect Each(string value, string alias, Suspect suspect, Suspect condition)
    {
        var both = Suspect.All([condition, suspect]);
        return both.Sql == Suspect.False
            ? Suspect.Never
            : new Suspect($"EXISTS (SELECT FROM pg_catalog.jsonb_each({value}) AS {alias}(k, v) WHERE {both.Sql})", both.IsExact);
    }
}
