using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>Finds every schema in the given documents and answers which one a reference means. Fetches nothing.</summary>
internal sealed class SchemaLoader(SchemaOptions options, List<SchemaError> errors)
{
    private readonly Dictionary<string, SchemaResource> _resources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JsonElement> _unread = Unread(options);

    public SchemaOptions Options => options;

    public SchemaSite LoadRoot(JsonElement root) => Load(root, new Uri(options.BaseUri), "");

    public void Fail(SchemaSite site, string? keyword, string message) =>
        Fail(site.Resource.Document, keyword is null ? site.Pointer : JsonPointer.Append(site.Pointer, keyword), message);

    public void Fail(SchemaDocument document, string pointer, string message) =>
        errors.Add(new SchemaError(document.Prefix + pointer, message));

    /// <summary>The schema that a reference means; when there is none, the reason is recorded and null returned.</summary>
    public SchemaSite? Resolve(SchemaSite from, string keyword, string reference)
    {
        if (!TryUri(from.Resource.Uri, reference, out var uri, out var fragment))
        {
            Fail(from, keyword, $"\"{reference}\" is no URI reference");
            return null;
        }

        if (Resource(uri) is not { } resource)
        {
            Fail(from, keyword, $"no schema \"{uri}\" is known here; nothing is fetched, so give that document beside this one");
            return null;
        }

        var site = Inside(resource, fragment);
        if (site is null)
            Fail(from, keyword, $"\"{reference}\" points to nothing in {Name(resource)}");
        return site;
    }

    /// <summary>The vocabularies of a dialect, or null when it is not known.</summary>
    public Vocabularies? Dialect(string uri) => Dialects.Of(uri, address =>
        _unread.TryGetValue(address, out var unread) ? unread
        : _resources.TryGetValue(address, out var read) ? JsonPointer.Resolve(read.Document.Root, read.Pointer) : null);

    private SchemaSite? Inside(SchemaResource resource, string fragment)
    {
        if (fragment.Length > 0 && fragment[0] != '/')
            return resource.Anchors.GetValueOrDefault(fragment);
        var document = resource.Document;
        var pointer = resource.Pointer + fragment;
        if (document.Sites.TryGetValue(pointer, out var site))
            return site;
        if (JsonPointer.Resolve(document.Root, pointer) is not { } json)
            return null;

        // Below an unknown keyword: it becomes a schema by being referred to, of the resource that surrounds it.
        new SchemaScan(this, document, _resources).Run(json, pointer, Around(document, pointer) ?? resource);
        return document.Sites.GetValueOrDefault(pointer);
    }

    private static SchemaResource? Around(SchemaDocument document, string pointer)
    {
        for (var cut = pointer.LastIndexOf('/'); cut >= 0; cut = pointer.LastIndexOf('/'))
        {
            pointer = pointer[..cut];
            if (document.Sites.TryGetValue(pointer, out var site))
                return site.Resource;
        }

        return null;
    }

    private SchemaResource? Resource(string uri)
    {
        if (_resources.TryGetValue(uri, out var known))
            return known;
        if (_unread.Remove(uri, out var json))
            return Load(json, new Uri(uri), uri + "#").Resource;
        if (uri != MetaSchema.Uri)
            return null;
        return Load(MetaSchema.Parse(), new Uri(uri), uri + "#").Resource;
    }

    private SchemaSite Load(JsonElement root, Uri uri, string prefix)
    {
        var document = new SchemaDocument(root, prefix);
        var resource = new SchemaResource(uri, document, "", Vocabularies.Standard);
        _resources.TryAdd(Key(uri), resource);
        new SchemaScan(this, document, _resources).Run(root, "", resource);

        // A document answers to the URI it was given under and to its own $id.
        _resources[Key(uri)] = document.Sites[""].Resource;
        return document.Sites[""];
    }

    private static string Name(SchemaResource resource) =>
        resource.Document.Prefix.Length == 0 ? "this schema" : resource.Uri.AbsoluteUri;

    public static string Key(Uri uri) =>
        uri.GetComponents(UriComponents.AbsoluteUri & ~UriComponents.Fragment, UriFormat.UriEscaped);

    public static bool TryUri(Uri from, string reference, out string uri, out string fragment)
    {
        var mark = reference.IndexOf('#', StringComparison.Ordinal);
        fragment = mark < 0 ? "" : Uri.UnescapeDataString(reference[(mark + 1)..]);
        var rest = mark < 0 ? reference : reference[..mark];
        uri = "";
        if (rest.Length == 0)
        {
            uri = Key(from);
            return true;
        }

        if (!Uri.TryCreate(from, rest, out var absolute))
            return false;
        uri = Key(absolute);
        return true;
    }

    private static Dictionary<string, JsonElement> Unread(SchemaOptions options)
    {
        var unread = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (address, json) in options.Documents)
            unread[Uri.TryCreate(address, UriKind.Absolute, out var uri) ? Key(uri) : address] = json;
        return unread;
    }
}
