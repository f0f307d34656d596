using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>Keywords about arrays, and the two counts of objects (core 10.3.1, validation 6.4 and 6.5).</summary>
internal static class ArrayKeywords
{
    /// <returns>False when the keyword is none of these.</returns>
    public static bool Apply(SchemaBuilder builder, SchemaSite site, SchemaNode node, JsonProperty member)
    {
        switch (member.Name)
        {
            case "minProperties":
                (node.Object ??= new ObjectRules()).MinProperties = KeywordValues.Count(builder, site, member);
                return true;
            case "maxProperties":
                (node.Object ??= new ObjectRules()).MaxProperties = KeywordValues.Count(builder, site, member);
                return true;
            case "minItems":
                (node.Array ??= new ArrayRules()).MinItems = KeywordValues.Count(builder, site, member);
                return true;
            case "maxItems":
                (node.Array ??= new ArrayRules()).MaxItems = KeywordValues.Count(builder, site, member);
                return true;
            case "uniqueItems":
                (node.Array ??= new ArrayRules()).UniqueItems = KeywordValues.Flag(builder, site, member);
                return true;
            case "prefixItems":
                (node.Array ??= new ArrayRules()).PrefixItems = builder.Children(site, member.Name, member.Value);
                return true;
            case "items":
                (node.Array ??= new ArrayRules()).Items = builder.Child(site, member.Name);
                return true;
            case "contains":
                (node.Array ??= new ArrayRules()).Contains = builder.Child(site, member.Name);
                return true;
            case "minContains":
                (node.Array ??= new ArrayRules()).MinContains = KeywordValues.Count(builder, site, member);
                return true;
            case "maxContains":
                (node.Array ??= new ArrayRules()).MaxContains = KeywordValues.Count(builder, site, member);
                return true;
            default:
                return false;
        }
    }
}
