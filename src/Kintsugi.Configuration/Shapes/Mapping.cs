using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Kintsugi.Configuration.Reading;

namespace Kintsugi.Configuration.Shapes;

/// <summary>One key of a mapping.</summary>
/// <param name="name">As written.</param>
/// <param name="doc">One sentence for editors.</param>
/// <param name="required">Whether its absence is a mistake.</param>
internal abstract class Key(string name, string doc, bool required)
{
    public string Name { get; } = name;
    public string Doc { get; } = doc;
    public bool Required { get; } = required;
    public abstract Shape Shape { get; }
    public abstract bool TryRead(Node node, string key, ReadingContext reading, out object? value);
}

internal sealed class Key<T>(string name, Shape<T> shape, string doc, T ifAbsent = default!, bool required = false)
    : Key(name, doc, required)
{
    public T IfAbsent { get; } = ifAbsent;
    public override Shape Shape => shape;

    public override bool TryRead(Node node, string key, ReadingContext reading, out object? value)
    {
        var read = shape.TryRead(node, key, reading, out var typed);
        value = typed;
        return read;
    }
}

/// <summary>The values of one mapping by their keys.</summary>
internal sealed class GivenValues(Node node, string path, IReadOnlyDictionary<Key, object?> found, ReadingContext reading)
{
    public T Get<T>(Key<T> key) => found.TryGetValue(key, out var value) ? (T)value! : key.IfAbsent;

    public bool Has(Key key) => found.ContainsKey(key);

    /// <summary>Notes a mistake about one key, or about the mapping when the key is not there.</summary>
    public void Mistake(Key key, string message)
    {
        var entry = (node as MapNode)?.Find(key.Name);
        reading.Mistake(entry?.Value.Place ?? node.Place, KeyPath.Join(path, key.Name), message);
    }

    public void Mistake(string message) => reading.Mistake(node.Place, path, message);

    public ReadingContext Reading => reading;
}

/// <summary>A mapping with a fixed set of keys; any other is a mistake.</summary>
/// <param name="keys">Every key it may have.</param>
/// <param name="build">Makes the value; notes mistakes that only show between keys.</param>
internal sealed class Mapping<T>(IReadOnlyList<Key> keys, Func<GivenValues, T> build) : Shape<T>, IMapping
{
    public IReadOnlyList<Key> Keys => keys;

    public override bool IsWord(string text) => false;

    public override JsonObject Schema()
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var key in keys)
        {
            var schema = key.Shape.Schema();
            schema["description"] = key.Doc;
            properties[key.Name] = schema;
            if (key.Required)
            {
                required.Add((JsonNode)key.Name);
            }
        }

        var mapping = new JsonObject
        {
            ["type"] = new JsonArray("object", "null"), // null: a section whose keys are all commented out
            ["additionalProperties"] = false,
            ["properties"] = properties,
        };
        if (required.Count > 0)
        {
            mapping["required"] = required;
        }

        return mapping;
    }

    public override bool TryRead(Node node, string key, ReadingContext reading, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        var entries = node switch
        {
            MapNode map => map.Entries,
            TextNode { IsNull: true } => [], // a section whose keys are all commented out
            _ => null,
        };
        if (entries is null)
        {
            reading.Mistake(node.Place, key, $"expected a mapping of keys to values, found {node.Kind}");
            return false;
        }

        var sound = TryReadEntries(entries, key, reading, out var found);
        foreach (var missing in keys.Where(k => k.Required && entries.TrueForAll(entry => entry.Key != k.Name)))
        {
            reading.Mistake(node.Place, key, $"{missing.Name} is missing: {missing.Doc}");
            sound = false;
        }

        if (!sound)
        {
            return false;
        }

        var before = reading.Count;
        value = build(new(node, key, found, reading));
        return reading.Count == before;
    }

    private bool TryReadEntries(
        List<Entry> entries, string path, ReadingContext reading, out Dictionary<Key, object?> found)
    {
        found = [];
        var sound = true;
        foreach (var entry in entries)
        {
            var key = keys.FirstOrDefault(key => key.Name == entry.Key);
            if (key is null)
            {
                reading.Mistake(
                    entry.Place, KeyPath.Join(path, entry.Key), "unknown key" + Suggestion.For(entry.Key, keys.Select(k => k.Name)));
                sound = false;
            }
            else if (key.TryRead(entry.Value, KeyPath.Join(path, key.Name), reading, out var value))
            {
                found[key] = value;
            }
            else
            {
                sound = false;
            }
        }

        return sound;
    }
}
