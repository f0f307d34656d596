namespace Kintsugi.JsonSchema;

/// <summary>Items of arrays.</summary>
internal sealed partial class SuspectBuilder
{
    private IEnumerable<Suspect> Arrays(SchemaNode node, string value)
    {
        if (node.UnevaluatedItems is not (null or { Fixed: true }))
            yield return Suspect.Unknown;
        if (node.Array is not { } rules)
            yield break;
        var length = $"pg_catalog.jsonb_array_length({value})";
        if (rules.MinItems > 0)
            yield return Suspect.Exactly(SqlText.Infix(length, "<", Count(rules.MinItems)));
        if (rules.MaxItems < int.MaxValue)
            yield return Suspect.Exactly(SqlText.Infix(length, ">", Count(rules.MaxItems)));
        for (var at = 0; at < rules.PrefixItems.Count; at++)
            yield return Item(rules.PrefixItems[at], value, at);
        if (rules.Items is { } items)
            yield return Rest(items, value, rules.PrefixItems.Count);
        if (rules.UniqueItems)
        {
            var alias = Alias();
            yield return Suspect.Exactly(
                $"(SELECT pg_catalog.count(*) OPERATOR(pg_catalog.<>) pg_catalog.count(DISTINCT {alias}.v)"
                + $" FROM pg_catalog.jsonb_array_elements({value}) AS {alias}(v))");
        }

        if (rules.Contains is { } wanted)
        {
            foreach (var count in Contains(rules, wanted, value, length))
                yield return count;
        }
    }

    private Suspect Item(SchemaNode schema, string value, int position)
    {
        var item = SqlText.Infix(value, "->", Count(position));
        var suspect = Of(schema, item);
        return suspect.Sql == Suspect.False
            ? Suspect.Never
            : new Suspect($"({item} IS NOT NULL AND {suspect.Sql})", suspect.IsExact);
    }

    private Suspect Rest(SchemaNode schema, string value, int from)
    {
        var alias = Alias();
        var suspect = Of(schema, $"{alias}.v");
        if (suspect.Sql == Suspect.False)
            return Suspect.Never;
        var later = SqlText.Infix($"{alias}.n", ">", Count(from));
        return new Suspect($"EXISTS (SELECT FROM pg_catalog.jsonb_array_elements({value}) WITH ORDINALITY AS {alias}(v, n)"
            + $" WHERE {later} AND {suspect.Sql})", suspect.IsExact);
    }

    /// <summary>
    /// An item that is not suspect matches for certain, so too few are never overlooked; any item may match, so too many
    /// are bounded by all.
    /// </summary>
    private IEnumerable<Suspect> Contains(ArrayRules rules, SchemaNode wanted, string value, string length)
    {
        var alias = Alias();
        var suspect = Of(wanted, $"{alias}.v");
        var certain = $"(SELECT pg_catalog.count(*) FROM pg_catalog.jsonb_array_elements({value}) AS {alias}(v)"
            + $" WHERE NOT {suspect.Sql})";
        if (rules.MinContains > 0)
            yield return new Suspect(SqlText.Infix(certain, "<", Count(rules.MinContains)), suspect.IsExact);
        var possible = suspect.IsExact ? certain : length;
        if (rules.MaxContains < int.MaxValue)
            yield return new Suspect(SqlText.Infix(possible, ">", Count(rules.MaxContains)), suspect.IsExact);
    }
}
