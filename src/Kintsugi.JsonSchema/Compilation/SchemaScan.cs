using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>Walks one document once and notes every subschema, identifier and anchor in it.</summary>
internal sealed class SchemaScan(SchemaLoader loader, SchemaDocument document, Dictionary<string, SchemaResource> resources)
{
    /// <summary>Deepest nesting of a schema; people write schemas, so more is a mistake or an attack.</summary>
    private const int MaxDepth = 200;

    public void Run(JsonElement json, string pointer, SchemaResource resource) => Visit(json, pointer, resource, 0);

    private void Visit(JsonElement json, string pointer, SchemaResource resource, int depth)
    {
        if (depth > MaxDepth)
        {
            loader.Fail(document, pointer, $"schemas nested more than {MaxDepth} deep are refused");
            return;
        }

        if (document.Sites.ContainsKey(pointer))
            return;
        if (json.ValueKind == JsonValueKind.Object)
            resource = Identify(json, pointer, resource);
        else if (json.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            loader.Fail(document, pointer, $"a schema is an object, true or false; here is {Describe.Kind(json.ValueKind)}");
        var site = new SchemaSite(json, pointer, resource);
        document.Sites.Add(pointer, site);
        if (json.ValueKind != JsonValueKind.Object)
            return;
        Anchor(site, "$anchor");
        Anchor(site, "$dynamicAnchor");
        foreach (var member in json.EnumerateObject())
        {
            if (Keywords.All.TryGetValue(member.Name, out var keyword))
                Descend(member.Value, JsonPointer.Append(pointer, member.Name), keyword.Shape, resource, depth + 1);
        }
    }

    private void Descend(JsonElement json, string pointer, KeywordShape shape, SchemaResource resource, int depth)
    {
        switch (shape)
        {
            case KeywordShape.Schema:
                Visit(json, pointer, resource, depth);
                break;
            case KeywordShape.SchemaList when json.ValueKind == JsonValueKind.Array:
                var index = 0;
                foreach (var item in json.EnumerateArray())
                    Visit(item, JsonPointer.Append(pointer, index++), resource, depth);
                break;
            case KeywordShape.SchemaMap or KeywordShape.Dependencies when json.ValueKind == JsonValueKind.Object:
                foreach (var member in json.EnumerateObject())
                {
                    if (shape == KeywordShape.SchemaMap || member.Value.ValueKind != JsonValueKind.Array)
                        Visit(member.Value, JsonPointer.Append(pointer, member.Name), resource, depth);
                }

                break;
            case KeywordShape.SchemaList or KeywordShape.SchemaMap or KeywordShape.Dependencies:
                var wanted = shape == KeywordShape.SchemaList ? "an array of schemas" : "an object of schemas";
                loader.Fail(document, pointer, $"expected {wanted}, found {Describe.Kind(json.ValueKind)}");
                break;
        }
    }

    private SchemaResource Identify(JsonElement json, string pointer, SchemaResource resource)
    {
        if (json.TryGetProperty("$id", out var id))
        {
            if (id.ValueKind != JsonValueKind.String || !Uri.TryCreate(resource.Uri, id.GetString(), out var uri)
                || uri.Fragment.Length > 1)
            {
                loader.Fail(document, JsonPointer.Append(pointer, "$id"), "expected a URI without a fragment");
                return resource;
            }

            var key = SchemaLoader.Key(uri);
            resource = new SchemaResource(new Uri(key), document, pointer, resource.Dialect);
            if (!resources.TryAdd(key, resource) && resources[key].Document.Sites.ContainsKey(resources[key].Pointer))
                loader.Fail(document, JsonPointer.Append(pointer, "$id"), $"two schemas are called \"{key}\"");
            else
                resources[key] = resource;
        }

        if (json.TryGetProperty("$schema", out var dialect) && resource.Pointer == pointer)
            resource.Dialect = Spoken(dialect, pointer) ?? resource.Dialect;
        return resource;
    }

    private Vocabularies? Spoken(JsonElement dialect, string pointer)
    {
        var spoken = dialect.ValueKind == JsonValueKind.String ? loader.Dialect(dialect.GetString()!) : null;
        if (spoken is null)
        {
            loader.Fail(document, JsonPointer.Append(pointer, "$schema"),
                $"the dialect {dialect.GetRawText()} is not known here; expected \"{MetaSchema.Uri}\" or none");
        }

        return spoken;
    }

    private void Anchor(SchemaSite site, string keyword)
    {
        if (!site.Json.TryGetProperty(keyword, out var anchor))
            return;
        if (anchor.ValueKind != JsonValueKind.String || !IsAnchor(anchor.GetString()!))
        {
            loader.Fail(site, keyword, "expected a name of letters, digits, '-', '_' and '.' that begins with a letter or '_'");
            return;
        }

        var name = anchor.GetString()!;
        if (!site.Resource.Anchors.TryAdd(name, site) && site.Resource.Anchors[name] != site)
            loader.Fail(site, keyword, $"two schemas have the anchor \"{name}\"");
        if (keyword == "$dynamicAnchor")
            site.Resource.DynamicAnchors.TryAdd(name, site);
    }

    private static bool IsAnchor(string name) =>
        name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_')
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
