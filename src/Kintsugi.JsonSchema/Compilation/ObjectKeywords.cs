using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>Keywords about the members of objects; they share one table of names (core 10.3.2, validation 6.5).</summary>
internal static class ObjectKeywords
{
    private static readonly string[] _keywords =
    [
        "properties", "required", "dependentRequired", "dependentSchemas", "dependencies", "patternProperties",
        "additionalProperties", "propertyNames",
    ];

    public static void Finish(SchemaBuilder builder, SchemaSite site, SchemaNode node)
    {
        if (!_keywords.Any(keyword => Value(site, keyword) is not null))
            return;
        if (Value(site, "dependentRequired") is { ValueKind: not JsonValueKind.Object } wrong)
            builder.Fail(site, "dependentRequired", $"expected an object of name lists, found {Describe.Kind(wrong.ValueKind)}");
        var rules = node.Object ??= new ObjectRules();
        var names = new List<string>();
        var positions = new Dictionary<string, int>(StringComparer.Ordinal);
        var properties = Members(site, "properties")
            .Select(member => (At: Position(member.Name), Schema: builder.Child(site, "properties", member.Name))).ToList();
        if (Value(site, "required") is { } required)
            rules.Required = Positions(KeywordValues.Names(builder, site, "required", required));
        rules.DependentRequired = Lists("dependentRequired").Concat(Lists("dependencies")).ToList();
        rules.DependentSchemas = Schemas("dependentSchemas").Concat(Schemas("dependencies")).ToList();
        rules.Names = new NameTable(names);
        rules.Properties = new SchemaNode?[names.Count];
        foreach (var (at, schema) in properties)
            rules.Properties[at] = schema;
        if (Value(site, "additionalProperties") is not null)
            rules.AdditionalProperties = builder.Child(site, "additionalProperties");
        if (Value(site, "propertyNames") is not null)
            rules.PropertyNames = builder.Child(site, "propertyNames");
        rules.PatternProperties = Patterns(builder, site);

        int Position(string name)
        {
            if (!positions.TryGetValue(name, out var at))
            {
                positions[name] = at = names.Count;
                names.Add(name);
            }

            return at;
        }

        int[] Positions(IEnumerable<string> some) => some.Select(Position).ToArray();

        IEnumerable<(int, int[])> Lists(string keyword) => Members(site, keyword)
            .Where(member => keyword == "dependentRequired" || member.Value.ValueKind == JsonValueKind.Array)
            .Select(member => (Position(member.Name),
                Positions(KeywordValues.Names(builder, site, keyword, member.Value)))).ToList();

        IEnumerable<(int, SchemaNode)> Schemas(string keyword) => Members(site, keyword)
            .Select(member => (member.Name, Schema: builder.Child(site, keyword, member.Name)))
            .Where(member => member.Schema is not null)
            .Select(member => (Position(member.Name), member.Schema!)).ToList();
    }

    private static List<(Pattern, SchemaNode)> Patterns(SchemaBuilder builder, SchemaSite site)
    {
        var patterns = new List<(Pattern, SchemaNode)>();
        foreach (var member in Members(site, "patternProperties"))
        {
            var schema = builder.Child(site, "patternProperties", member.Name);
            if (schema is not null && ValueKeywords.ReadPattern(builder, site, "patternProperties", member.Name) is { } pattern)
                patterns.Add((pattern, schema));
        }

        return patterns;
    }

    private static JsonElement.ObjectEnumerator Members(SchemaSite site, string keyword) =>
        Value(site, keyword) is { ValueKind: JsonValueKind.Object } map ? map.EnumerateObject() : default;

    private static JsonElement? Value(SchemaSite site, string keyword) =>
        (Keywords.All[keyword].Vocabulary & site.Resource.Dialect) != 0 && site.Json.TryGetProperty(keyword, out var value)
            ? value
            : null;
}
