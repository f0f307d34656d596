using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>Which vocabularies a <c>$schema</c> speaks (core 8.1).</summary>
internal static class Dialects
{
    private const string Prefix = "https://json-schema.org/draft/2020-12/vocab/";

    /// <param name="find">Gives a known document by URI; a metaschema of the owner's says its vocabularies itself.</param>
    public static Vocabularies? Of(string uri, Func<string, JsonElement?> find)
    {
        if (uri.TrimEnd('#') == MetaSchema.Uri)
            return Vocabularies.Standard;
        if (!Uri.TryCreate(uri, UriKind.Absolute, out var address) || find(SchemaLoader.Key(address)) is not { } meta)
            return null;
        if (meta.ValueKind != JsonValueKind.Object || !meta.TryGetProperty("$vocabulary", out var named)
            || named.ValueKind != JsonValueKind.Object)
            return Vocabularies.Standard;
        var spoken = Vocabularies.Core;
        foreach (var vocabulary in named.EnumerateObject())
        {
            var known = Named(vocabulary.Name);

            // One that is required and not understood forbids the whole schema (core 8.1.2.1).
            if (known is null && vocabulary.Value.ValueKind == JsonValueKind.True)
                return null;
            spoken |= known ?? Vocabularies.None;
        }

        return spoken;
    }

    private static Vocabularies? Named(string uri) => uri.StartsWith(Prefix, StringComparison.Ordinal)
        ? uri[Prefix.Length..] switch
        {
            "core" => Vocabularies.Core,
            "applicator" => Vocabularies.Applicator,
            "unevaluated" => Vocabularies.Unevaluated,
            "validation" => Vocabularies.Validation,
            "meta-data" or "format-annotation" or "content" => Vocabularies.Annotation,
            "format-assertion" => Vocabularies.FormatAssertion,
            _ => null,
        }
        : null;
}
