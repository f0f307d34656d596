using System.Runtime.InteropServices;
using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>Keywords about any value, numbers and texts (validation 6.1 to 6.3, 7).</summary>
internal static class ValueKeywords
{
    /// <returns>False when the keyword is none of these.</returns>
    public static bool Apply(SchemaBuilder builder, SchemaSite site, SchemaNode node, JsonProperty member)
    {
        switch (member.Name)
        {
            case "type":
                node.Types = ReadTypes(builder, site, member);
                return true;
            case "const":
                node.Const = Literal(member.Value);
                return true;
            case "enum":
                node.Enum = ReadEnum(builder, site, member);
                return true;
            case "minimum":
                (node.Number ??= new NumberRules()).Minimum = KeywordValues.Number(builder, site, member);
                return true;
            case "exclusiveMinimum":
                (node.Number ??= new NumberRules()).ExclusiveMinimum = KeywordValues.Number(builder, site, member);
                return true;
            case "maximum":
                (node.Number ??= new NumberRules()).Maximum = KeywordValues.Number(builder, site, member);
                return true;
            case "exclusiveMaximum":
                (node.Number ??= new NumberRules()).ExclusiveMaximum = KeywordValues.Number(builder, site, member);
                return true;
            case "multipleOf":
                (node.Number ??= new NumberRules()).MultipleOf = KeywordValues.Number(builder, site, member);
                if (node.Number.MultipleOf is { Sign: <= 0 })
                    builder.Fail(site, member.Name, "expected a number above zero");
                return true;
            case "minLength":
                (node.Text ??= new TextRules()).MinLength = KeywordValues.Count(builder, site, member);
                return true;
            case "maxLength":
                (node.Text ??= new TextRules()).MaxLength = KeywordValues.Count(builder, site, member);
                return true;
            case "pattern":
                (node.Text ??= new TextRules()).Pattern =
                    ReadPattern(builder, site, member.Name, KeywordValues.Text(builder, site, member));
                return true;
            case "format":
                ReadFormat(builder, site, node, member);
                return true;
            default:
                return false;
        }
    }

    public static Pattern? ReadPattern(SchemaBuilder builder, SchemaSite site, string keyword, string? source)
    {
        if (source is null)
            return null;
        if (Pattern.TryCompile(source, builder.Options.PatternTimeout, out var pattern, out var mistake))
            return pattern;
        builder.Fail(site, keyword, $"\"{Describe.Cut(source)}\" is no pattern of ECMA-262: {mistake}");
        return null;
    }

    private static Tape Literal(JsonElement value) => Tape.Of(JsonMarshal.GetRawUtf8Value(value), 1_000);

    private static List<Tape> ReadEnum(SchemaBuilder builder, SchemaSite site, JsonProperty member)
    {
        if (member.Value.ValueKind == JsonValueKind.Array)
            return member.Value.EnumerateArray().Select(Literal).ToList();
        builder.Fail(site, member.Name, $"expected an array of values, found {Describe.Kind(member.Value.ValueKind)}");
        return [];
    }

    private static Types ReadTypes(SchemaBuilder builder, SchemaSite site, JsonProperty member)
    {
        IEnumerable<JsonElement> names = member.Value.ValueKind == JsonValueKind.Array
            ? member.Value.EnumerateArray()
            : [member.Value];
        var types = Types.None;
        foreach (var name in names)
        {
            var text = name.ValueKind == JsonValueKind.String ? name.GetString()! : name.GetRawText();
            if (name.ValueKind == JsonValueKind.String && TypeNames.All.TryGetValue(text, out var type))
                types |= type;
            else
                builder.Fail(site, member.Name,
                    $"unknown type \"{text}\"{Spelling.Suggest(text, TypeNames.All.Keys)}; the types are "
                    + string.Join(", ", TypeNames.All.Keys.Order(StringComparer.Ordinal)));
        }

        return types;
    }

    private static void ReadFormat(SchemaBuilder builder, SchemaSite site, SchemaNode node, JsonProperty member)
    {
        if (KeywordValues.Text(builder, site, member) is not { } name)
            return;
        if (!builder.Options.AssertFormat && !site.Resource.Dialect.HasFlag(Vocabularies.FormatAssertion))
            return;
        if (Format.All.TryGetValue(name, out var format))
            (node.Text ??= new TextRules()).Format = format;
        else if (builder.Options.UnknownKeywords == UnknownKeywords.Reject)
            builder.Fail(site, member.Name,
                $"unknown format \"{name}\" would assert nothing{Spelling.Suggest(name, Format.All.Keys)}");
    }
}
