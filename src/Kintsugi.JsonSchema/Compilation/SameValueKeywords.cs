using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>References and keywords that apply schemas to the same value (core 8.2.3, 10.2, 11).</summary>
internal static class SameValueKeywords
{
    public static void Apply(SchemaBuilder builder, SchemaSite site, SchemaNode node, JsonProperty member)
    {
        switch (member.Name)
        {
            case "$ref":
                Rules(node).Ref = builder.Reference(site, member.Name, member.Value);
                break;
            case "$dynamicRef":
                Rules(node).DynamicRef = builder.DynamicReference(site, member.Value);
                break;
            case "allOf":
                Rules(node).AllOf = builder.Children(site, member.Name, member.Value);
                break;
            case "anyOf":
                Rules(node).AnyOf = builder.Children(site, member.Name, member.Value);
                break;
            case "oneOf":
                Rules(node).OneOf = builder.Children(site, member.Name, member.Value);
                break;
            case "not":
                Rules(node).Not = builder.Child(site, member.Name);
                break;
            case "if":
                Rules(node).If = builder.Child(site, member.Name);
                break;
            case "then":
                Rules(node).Then = builder.Child(site, member.Name);
                break;
            case "else":
                Rules(node).Else = builder.Child(site, member.Name);
                break;
            case "unevaluatedItems":
                node.UnevaluatedItems = builder.Child(site, member.Name);
                break;
            case "unevaluatedProperties":
                node.UnevaluatedProperties = builder.Child(site, member.Name);
                break;
        }
    }

    private static SameValueRules Rules(SchemaNode node) => node.SameValue ??= new SameValueRules();
}
