using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>One JSON document that holds schemas.</summary>
internal sealed class SchemaDocument(JsonElement root, string prefix)
{
    public JsonElement Root { get; } = root;

    /// <summary>What error and violation pointers begin with: empty for the owner's own document, else its URI.</summary>
    public string Prefix { get; } = prefix;

    public Dictionary<string, SchemaSite> Sites { get; } = new(StringComparer.Ordinal);
}

/// <summary>A schema resource: a schema with its own URI, and the subschemas that share it (core 4.3.5).</summary>
internal sealed class SchemaResource(Uri uri, SchemaDocument document, string pointer, Vocabularies dialect)
{
    public Uri Uri { get; } = uri;

    public SchemaDocument Document { get; } = document;

    /// <summary>Where in the document the resource's root lies.</summary>
    public string Pointer { get; } = pointer;

    public Vocabularies Dialect { get; set; } = dialect;

    public Dictionary<string, SchemaSite> Anchors { get; } = new(StringComparer.Ordinal);

    /// <summary>Filled with nodes when these are built; the dynamic scope looks here (core 8.2.3.2).</summary>
    public Dictionary<string, SchemaSite> DynamicAnchors { get; } = new(StringComparer.Ordinal);
}

/// <summary>One place in a document that holds a schema.</summary>
internal sealed class SchemaSite(JsonElement json, string pointer, SchemaResource resource)
{
    public JsonElement Json { get; } = json;

    public string Pointer { get; } = pointer;

    public SchemaResource Resource { get; } = resource;

    public SchemaNode? Node { get; set; }
}
