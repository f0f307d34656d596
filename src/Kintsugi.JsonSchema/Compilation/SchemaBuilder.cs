using System.Text.Json;

namespace Kintsugi.JsonSchema;

/// <summary>
/// Turns schema sites into nodes. Nodes are made empty first and filled from a queue, so that recursive schemas close
/// their circle and long chains of references need no stack.
/// </summary>
internal sealed class SchemaBuilder(SchemaLoader loader)
{
    private readonly Queue<SchemaSite> _waiting = new();

    public List<SchemaNode> Nodes { get; } = [];

    public SchemaOptions Options => loader.Options;

    /// <summary>Builds the root and everything written in its document, used or not.</summary>
    public SchemaNode Build(SchemaSite root)
    {
        var node = NodeOf(root);
        foreach (var site in root.Resource.Document.Sites.Values.ToList())
            NodeOf(site);
        while (_waiting.TryDequeue(out var next))
            Fill(next);
        return node;
    }

    public void Fail(SchemaSite site, string? keyword, string message) => loader.Fail(site, keyword, message);

    public SchemaNode NodeOf(SchemaSite site)
    {
        if (site.Node is { } built)
            return built;
        site.Node = new SchemaNode(site.Resource.Document.Prefix + site.Pointer, site.Resource);
        Nodes.Add(site.Node);
        _waiting.Enqueue(site);
        return site.Node;
    }

    /// <summary>The schema right below a keyword, or below one of its members.</summary>
    public SchemaNode? Child(SchemaSite site, string keyword, string? member = null)
    {
        var pointer = JsonPointer.Append(site.Pointer, keyword);
        pointer = member is null ? pointer : JsonPointer.Append(pointer, member);
        return site.Resource.Document.Sites.TryGetValue(pointer, out var child) ? NodeOf(child) : null;
    }

    public List<SchemaNode> Children(SchemaSite site, string keyword, JsonElement list)
    {
        var children = new List<SchemaNode>();
        if (list.ValueKind != JsonValueKind.Array)
            return children;
        for (var i = 0; i < list.GetArrayLength(); i++)
        {
            if (Child(site, keyword, i.ToString()) is { } child)
                children.Add(child);
        }

        if (children.Count == 0)
            Fail(site, keyword, "expected at least one schema");
        return children;
    }

    public SchemaNode? Reference(SchemaSite site, string keyword, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            Fail(site, keyword, $"expected a URI reference, found {Describe.Kind(value.ValueKind)}");
            return null;
        }

        return loader.Resolve(site, keyword, value.GetString()!) is { } target ? NodeOf(target) : null;
    }

    public DynamicReference? DynamicReference(SchemaSite site, JsonElement value)
    {
        if (Reference(site, "$dynamicRef", value) is not { } target)
            return null;
        var text = value.GetString()!;
        var name = text[(text.IndexOf('#', StringComparison.Ordinal) + 1)..];
        var own = target.Resource.DynamicAnchors.TryGetValue(name, out var anchored) && anchored.Node == target;
        return new DynamicReference(target, own && text.Contains('#', StringComparison.Ordinal) ? name : null);
    }

    private void Fill(SchemaSite site)
    {
        var node = site.Node!;
        if (site.Json.ValueKind != JsonValueKind.Object)
        {
            node.Fixed = site.Json.ValueKind == JsonValueKind.True;
            return;
        }

        var strict = Options.UnknownKeywords == UnknownKeywords.Reject;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in site.Json.EnumerateObject())
        {
            if (!seen.Add(member.Name) && strict)
                Fail(site, member.Name, "the keyword is written twice; only one of them would hold");
            if (!Keywords.All.TryGetValue(member.Name, out var keyword))
                Unknown(site, member.Name);
            else if ((keyword.Vocabulary & site.Resource.Dialect) != 0)
                Apply(site, node, member);
        }

        // A dynamic reference may reach any of these at evaluation, so they must be built.
        foreach (var schema in site.Resource.DynamicAnchors.Values)
            NodeOf(schema);

        ObjectKeywords.Finish(this, site, node);
        if (strict)
            DeadKeywords.Report(this, site);
    }

    private void Apply(SchemaSite site, SchemaNode node, JsonProperty member)
    {
        if (ValueKeywords.Apply(this, site, node, member) || ArrayKeywords.Apply(this, site, node, member))
            return;
        SameValueKeywords.Apply(this, site, node, member);
    }

    private void Unknown(SchemaSite site, string name)
    {
        if (Options.UnknownKeywords == UnknownKeywords.Ignore || name.StartsWith("x-", StringComparison.Ordinal))
            return;
        var hint = Keywords.Foreign.TryGetValue(name, out var instead)
            ? $"; {instead}"
            : Spelling.Suggest(name, Keywords.All.Keys);
        Fail(site, name, $"unknown keyword \"{name}\" would assert nothing{hint}");
    }
}
