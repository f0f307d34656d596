using System.Collections.Frozen;

namespace Kintsugi.JsonSchema;

/// <summary>Where subschemas lie inside the value of a keyword.</summary>
internal enum KeywordShape
{
    /// <summary>None inside.</summary>
    Plain,
    Schema,
    SchemaList,
    SchemaMap,

    /// <summary>A map of schemas or lists of names: <c>dependencies</c> of older drafts.</summary>
    Dependencies,

    /// <summary>Says something to people or tools and asserts nothing.</summary>
    Annotation,
}

/// <summary>The vocabularies of draft 2020-12 that a dialect may leave out.</summary>
[Flags]
internal enum Vocabularies
{
    None = 0,
    Core = 1,
    Applicator = 2,
    Unevaluated = 4,
    Validation = 8,
    Annotation = 16,
    FormatAssertion = 32,
    Standard = Core | Applicator | Unevaluated | Validation | Annotation,
}

internal sealed record Keyword(KeywordShape Shape, Vocabularies Vocabulary);

/// <summary>Every keyword of draft 2020-12 (core 8-11, validation 6-9).</summary>
internal static class Keywords
{
    private const string Separator = " ";

    public static FrozenDictionary<string, Keyword> All { get; } = Table().ToFrozenDictionary();

    /// <summary>Words of other drafts and dialects that people write, and what 2020-12 says instead.</summary>
    public static FrozenDictionary<string, string> Foreign { get; } = new Dictionary<string, string>
    {
        ["id"] = "draft 2020-12 calls it \"$id\"",
        ["additionalItems"] = "draft 2020-12 says \"items\" beside \"prefixItems\"",
        ["$recursiveRef"] = "draft 2020-12 says \"$dynamicRef\"",
        ["$recursiveAnchor"] = "draft 2020-12 says \"$dynamicAnchor\"",
        ["nullable"] = "JSON Schema lists \"null\" among the types",
        ["divisibleBy"] = "draft 2020-12 says \"multipleOf\"",
        ["discriminator"] = "JSON Schema says it with \"oneOf\" and \"const\"",
    }.ToFrozenDictionary();

    private static Dictionary<string, Keyword> Table()
    {
        var table = new Dictionary<string, Keyword>(StringComparer.Ordinal);
        Add("$ref $dynamicRef $id $anchor $dynamicAnchor $schema $vocabulary", KeywordShape.Plain, Vocabularies.Core);
        Add("$comment", KeywordShape.Annotation, Vocabularies.Core);
        Add("$defs definitions", KeywordShape.SchemaMap, Vocabularies.Core);
        Add("allOf anyOf oneOf prefixItems", KeywordShape.SchemaList, Vocabularies.Applicator);
        Add("not if then else items contains additionalProperties propertyNames", KeywordShape.Schema, Vocabularies.Applicator);
        Add("properties patternProperties dependentSchemas", KeywordShape.SchemaMap, Vocabularies.Applicator);
        Add("dependencies", KeywordShape.Dependencies, Vocabularies.Applicator);
        Add("unevaluatedItems unevaluatedProperties", KeywordShape.Schema, Vocabularies.Unevaluated);
        Add("type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern",
            KeywordShape.Plain, Vocabularies.Validation);
        Add("maxItems minItems uniqueItems maxContains minContains maxProperties minProperties required dependentRequired",
            KeywordShape.Plain, Vocabularies.Validation);
        Add("format", KeywordShape.Plain, Vocabularies.Annotation | Vocabularies.FormatAssertion);
        Add("title description default deprecated readOnly writeOnly examples contentEncoding contentMediaType",
            KeywordShape.Annotation, Vocabularies.Annotation);
        Add("contentSchema", KeywordShape.Schema, Vocabularies.Annotation);
        return table;

        void Add(string names, KeywordShape shape, Vocabularies vocabulary)
        {
            foreach (var name in names.Split(Separator))
                table.Add(name, new Keyword(shape, vocabulary));
        }
    }
}
